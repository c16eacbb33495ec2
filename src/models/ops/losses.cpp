#include "protean/models/ops/ops.h"

namespace protean::ops {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& y,
                         const at::Tensor& weight) {
  return reference::cross_entropy(logits, y, weight);
}

at::Tensor mean_squared_error(const at::Tensor& prediction, const at::Tensor& y,
                              const at::Tensor& weight) {
  return reference::mean_squared_error(prediction, y, weight);
}

}  // namespace protean::ops
