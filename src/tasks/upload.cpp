#include "protean/tasks/upload.h"

#include <ATen/ops/empty.h>

namespace protean {

at::Tensor upload(const at::Tensor& t, at::Device device) {
  if (!t.is_cpu() || device.is_cpu()) return t.to(device);
  auto pinned = t;
  if (!t.is_pinned()) {
    pinned = at::empty(t.sizes(), t.options().pinned_memory(true));
    pinned.copy_(t);
  }
  return pinned.to(device, /*non_blocking=*/true);
}

}  // namespace protean
