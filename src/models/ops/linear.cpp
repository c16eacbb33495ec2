#include "protean/models/ops/ops.h"

namespace protean::ops {

at::Tensor linear(const at::Tensor& x, const at::Tensor& w,
                  const at::Tensor& b) {
  return reference::linear(x, w, b);
}

}  // namespace protean::ops
