// Where a rank computes (run.device): one rule for every command. NCCL's
// communicator takes the same index (comm/rank_gpu.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "protean/comm/rank_gpu.h"
#include "protean/comm/world.h"

namespace protean {

// An accelerator that run.device can name.
struct DeviceKind {
  std::string name;
  c10::DeviceType type;
  // Whether a look for it is worth while; cheap.
  std::function<bool()> may_be_there;
  // Makes LibTorch know it. Empty, or why that fails, in one line.
  std::function<std::string()> open;
  // Why there is none after all, in one line.
  std::function<std::string()> why_none;
};
// One more than cuda; at the start of a program, before its threads. For tests.
void add_device_kind(DeviceKind kind);

// The values of run.device: cpu, the accelerators, auto (an accelerator where
// every rank has one, else the CPU).
std::vector<std::string> device_names();
// "cpu", "cuda".
std::string device_name(c10::Device device);

// Makes LibTorch know the accelerators that the value may mean, before this
// process calls it for anything else. Failures are told by the functions below.
void open_devices(const std::string& run_device);

// This rank's device. Throws ConfigError saying why there is none for it.
c10::Device device_of(const std::string& run_device, const RankPlace& place);

// The same, collective: all ranks have one of the same kind, or all throw.
// Makes it the calling thread's current device; rank 0 says where ranks share
// one.
c10::Device choose_device(const std::string& run_device, World& world);

}  // namespace protean
