#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean::ops {

at::Tensor to_stack(const at::Tensor& x) {
  if (x.dim() != 5)
    throw Error(concat("to_stack: images have ", x.dim(),
                       " dimensions; expected (T, n, C, H, W)"));
  return x.transpose(0, 1);
}

at::Tensor from_stack(const at::Tensor& x) {
  return x.transpose(0, 1).flatten(2).contiguous();
}

}  // namespace protean::ops
