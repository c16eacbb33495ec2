// Normal distributions with diagonal covariance, over the last dimension.
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

struct Gaussian {
  at::Tensor mean, log_variance;  // (..., d)

  // The two halves of a layer's output, (..., 2 d). The logarithm stays within
  // +-6: no sample overflows, and no gradient ends abruptly.
  static Gaussian of(const at::Tensor& output);

  at::Tensor sample(const at::Tensor& noise) const;
  // Natural logarithm of the density, (...).
  at::Tensor log_density(const at::Tensor& x) const;
};

// The standard normal distribution's own share below each number: uniform in
// [0, 1] for normal noise.
at::Tensor share_below(const at::Tensor& normal);
at::Tensor standard_log_density(const at::Tensor& x);
// KL(q || p) in nats, (...).
at::Tensor divergence(const Gaussian& q, const Gaussian& p);
at::Tensor divergence_from_standard(const Gaussian& q);

}  // namespace protean
