#include "generative/gaussian.h"

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

namespace protean {
namespace {

const double kLog2Pi = std::log(2 * std::numbers::pi);

}  // namespace

Gaussian Gaussian::of(const at::Tensor& output) {
  auto halves = output.chunk(2, -1);
  return {halves[0], 6 * at::tanh(halves[1] / 6)};
}

at::Tensor Gaussian::sample(const at::Tensor& noise) const {
  return mean + (0.5 * log_variance).exp() * noise;
}

at::Tensor Gaussian::log_density(const at::Tensor& x) const {
  return -0.5 *
         ((x - mean).square() * (-log_variance).exp() + log_variance + kLog2Pi)
             .sum(-1);
}

at::Tensor share_below(const at::Tensor& normal) {
  return 0.5 * at::erfc(-normal / std::sqrt(2.0));
}

at::Tensor standard_log_density(const at::Tensor& x) {
  return -0.5 * (x.square() + kLog2Pi).sum(-1);
}

at::Tensor divergence(const Gaussian& q, const Gaussian& p) {
  const auto difference = q.mean - p.mean;
  return 0.5 * (p.log_variance - q.log_variance - 1 +
                (q.log_variance.exp() + difference.square()) *
                    (-p.log_variance).exp())
                   .sum(-1);
}

at::Tensor divergence_from_standard(const Gaussian& q) {
  return 0.5 *
         (q.log_variance.exp() + q.mean.square() - 1 - q.log_variance).sum(-1);
}

}  // namespace protean
