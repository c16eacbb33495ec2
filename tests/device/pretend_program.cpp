// Linked with the program's own main(): protean with a device more, run.device
// = pretend, and a pretend NCCL between such devices in one process. So the
// whole command line walks the device path without a GPU.
//   PRETEND_DEVICES  how many this process sees (2); 0: no driver
//   PRETEND_NCCL     set: there is none
#include <cstdlib>

#include "protean/core/error.h"
#include "protean/experiment/device.h"

#include "support/fake_nccl.h"
#include "support/pretend_device.h"

namespace protean {
namespace {

constexpr int kMostRanks = 16;

int devices() {
  const char* given = std::getenv("PRETEND_DEVICES");
  return given ? std::atoi(given) : 2;
}

std::string install() {
  if (devices() == 0) return "no pretend driver on this machine";
  static const bool once = [] {
    pretend::install(devices());
    return true;
  }();
  return once ? "" : "never";
}

// One for all ranks of the process, gone with it.
const FakeNccl& pretend_nccl() {
  if (std::getenv("PRETEND_NCCL"))
    throw ConfigError("comm.backend = nccl: no pretend NCCL on this machine");
  static auto* const fake = new FakeNccl(kMostRanks, devices());
  return *fake;
}

[[maybe_unused]] const bool added = [] {
  add_device_kind({"pretend", c10::DeviceType::PrivateUse1,
                   [] { return devices() > 0; }, install,
                   [] { return std::string("no pretend device is visible"); }});
  install_fake_nccl(pretend_nccl);
  return true;
}();

}  // namespace
}  // namespace protean
