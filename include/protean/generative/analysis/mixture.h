// A mixture of normal distributions, each with a variance per dimension, by
// expectation maximisation (Dempster et al. 1977): groups may differ in size
// and in width, which those of k_means do not know.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace protean {

// In double. Every variance is at least a hundredth of what all points vary by
// along that dimension: without a floor the likelihood has no maximum, as a
// group may close in on one point.
struct Mixture {
  at::Tensor groups;                // (n) int64, the likeliest component
  at::Tensor weights;               // (k)
  at::Tensor means, variances;      // (k, d)
  std::vector<double> likelihoods;  // mean log density of a point, in nats,
                                    // before each round; never falls
};

// x (n, d), start (n) int64 in [0, k): groups to begin with, such as those of
// k_means; empty ones stay empty. At most `rounds` times, fewer when nothing
// changes any more. Memory grows with k, not with n * k. Throws Error unless
// every point has a group.
Mixture fit_mixture(const at::Tensor& x, const at::Tensor& start, int rounds);

}  // namespace protean
