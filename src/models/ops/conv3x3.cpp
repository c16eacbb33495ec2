#include "protean/models/ops/ops.h"

namespace protean::ops {

at::Tensor conv3x3(const at::Tensor& x, const at::Tensor& w, int64_t stride) {
  return reference::conv3x3(x, w, stride);
}

}  // namespace protean::ops
