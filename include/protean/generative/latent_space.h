// Paths between points of a standard normal latent space.
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

// Spherical interpolation over the last dimension (White 2016,
// arXiv:1609.04468): share 0 is a, 1 is b, and lengths between stay typical,
// where a straight line would shrink them. Shares outside [0, 1] extrapolate.
// a, b: (..., d) of one shape, share: a number or (..., 1).
at::Tensor slerp(const at::Tensor& a, const at::Tensor& b,
                 const at::Tensor& share);
at::Tensor slerp(const at::Tensor& a, const at::Tensor& b, double share);

// Smallest squared distance between two rows of x (N, d), N >= 2.
double least_squared_distance(const at::Tensor& x);

}  // namespace protean
