#include "protean/models/ops/ops.h"

namespace protean::ops {

at::Tensor relu_mlp(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                    const std::vector<at::Tensor>& biases) {
  return reference::relu_mlp(x, weights, biases);
}

}  // namespace protean::ops
