#include "protean/experiment/device.h"

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/gpu_library.h"
#include "protean/core/log.h"

namespace protean {
namespace {

// LibTorch's own words: no driver, one that is too old, no device.
std::string why_no_gpu() {
  try {
    at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  } catch (const c10::Error& e) {
    const std::string why = e.what_without_backtrace();
    return why.substr(0, why.find('\n'));
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no GPU is visible";
}

std::vector<DeviceKind>& kinds() {
  static std::vector<DeviceKind> all = {{"cuda", c10::DeviceType::CUDA,
                                         has_gpu_driver, open_gpu_library,
                                         why_no_gpu}};
  return all;
}

int visible(c10::DeviceType type) {
  return c10::impl::hasDeviceGuardImpl(type)
             ? c10::impl::VirtualGuardImpl(type).deviceCount()
             : 0;
}

// Why this process has none of that kind; empty: it has.
std::string why_not(const DeviceKind& kind) {
  auto why = kind.open();
  if (why.empty() && visible(kind.type) < 1) why = kind.why_none();
  return why;
}

c10::Device of_rank(const DeviceKind& kind, const RankPlace& place) {
  return {kind.type,
          static_cast<c10::DeviceIndex>(rank_gpu(visible(kind.type), place))};
}

c10::Device any_device(const RankPlace& place) {
  for (const auto& kind : kinds()) {
    if (!kind.may_be_there()) continue;
    auto why = why_not(kind);
    if (why.empty()) try {
        return of_rank(kind, place);
      } catch (const ConfigError& e) {
        why = e.what();
      }
    log_info("run.device = auto is cpu here: " + why);
  }
  return c10::DeviceType::CPU;
}

}  // namespace

void add_device_kind(DeviceKind kind) { kinds().push_back(std::move(kind)); }

std::vector<std::string> device_names() {
  std::vector<std::string> names = {"cpu"};
  for (const auto& kind : kinds()) names.push_back(kind.name);
  names.emplace_back("auto");
  return names;
}

std::string device_name(c10::Device device) {
  for (const auto& kind : kinds())
    if (kind.type == device.type()) return kind.name;
  return "cpu";
}

void open_devices(const std::string& run_device) {
  for (const auto& kind : kinds())
    if (run_device == kind.name ||
        (run_device == "auto" && kind.may_be_there()))
      kind.open();
}

c10::Device device_of(const std::string& run_device, const RankPlace& place) {
  if (run_device == "cpu") return c10::DeviceType::CPU;
  if (run_device == "auto") return any_device(place);
  for (const auto& kind : kinds()) {
    if (run_device != kind.name) continue;
    if (const auto why = why_not(kind); !why.empty())
      throw ConfigError(concat("run.device = ", run_device, ": ", why,
                               "; expected cpu, or a GPU with its driver and "
                               "LibTorch's CUDA libraries"));
    return of_rank(kind, place);
  }
  std::string expected;
  for (const auto& name : device_names())
    expected += (expected.empty() ? "" : ", ") + name;
  throw ConfigError(
      concat("run.device = \"", run_device, "\"; expected one of: ", expected));
}

c10::Device choose_device(const std::string& run_device, World& world) {
  const auto place = place_of(world);
  c10::Device device = c10::DeviceType::CPU;
  agree(*world.control, [&] { device = device_of(run_device, place); });
  if (run_device == "auto") {  // on some hosts there may be none
    int64_t all = !device.is_cpu();
    world.control->all_reduce(&all, 1, DType::i64, ReduceOp::min);
    if (!all) device = c10::DeviceType::CPU;
  }
  if (device.is_cpu()) return device;
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  // float32 is float32, and a convolution has the same bits twice.
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  const int count = visible(device.type());
  if (gpus_are_shared(count, place))
    log_info(concat(place.local_size, " ranks share ", count,
                    count == 1 ? " GPU" : " GPUs", " of ", place.host));
  return device;
}

}  // namespace protean
