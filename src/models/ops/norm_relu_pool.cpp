#include "protean/models/ops/ops.h"

namespace protean::ops {

NormResult norm_relu_pool(const at::Tensor& x, const at::Tensor& gamma,
                          const at::Tensor& beta, double eps, Pool pool,
                          const at::Tensor& weight) {
  return reference::norm_relu_pool(x, gamma, beta, eps, pool, weight);
}

at::Tensor norm_relu_pool_given(const at::Tensor& x, const at::Tensor& mean,
                                const at::Tensor& variance,
                                const at::Tensor& gamma, const at::Tensor& beta,
                                double eps, Pool pool) {
  return reference::norm_relu_pool_given(x, mean, variance, gamma, beta, eps,
                                         pool);
}

}  // namespace protean::ops
