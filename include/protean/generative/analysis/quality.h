// How close generated images are to real ones, in the features of a network
// trained on other classes, or in pixels. No external network takes part.
//
// Features are (n, d), one row per image. Distances with a bias that depends on
// n (frechet_distance, one_nearest_neighbour) compare only at equal n; callers
// give a real-against-real floor beside them.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace protean {

// Of the normal distributions fitted to both sets: |m - n|^2 + tr(A + B -
// 2 (A B)^(1/2)), with 1e-6 on the diagonals (Heusel et al. 2017,
// arXiv:1706.08500). In double. Needs n well above d.
double frechet_distance(const at::Tensor& a, const at::Tensor& b);

struct Kernel {
  double mean = 0, deviation = 0;  // over subsets
};
// Unbiased squared MMD with the kernel (x.y / d + 1)^3 on `subsets` random
// subsets of `size` rows of each (Binkowski et al. 2018, arXiv:1801.01401).
// size is cut to the smaller set.
Kernel kernel_distance(const at::Tensor& a, const at::Tensor& b, int subsets,
                       int64_t size, uint64_t seed);

// Balls reach to each point's k-th neighbour in its own set. precision: share
// of fakes inside a real ball; recall: of reals inside a fake's (Kynkaanniemi
// et al. 2019, arXiv:1904.06991). density: real balls around a fake, over k;
// coverage: share of real balls that hold a fake (Naeem et al. 2020,
// arXiv:2002.09797).
struct Manifold {
  double precision = 0, recall = 0, density = 0, coverage = 0;
};
Manifold manifold(const at::Tensor& real, const at::Tensor& fake, int64_t k);

// Share of rows whose nearest other row is of their own set, leaving one out
// (Lopez-Paz and Oquab 2017, arXiv:1610.06545): 0.5 for sets of equal size that
// cannot be told apart, 1 for sets far apart, below 0.5 for copies.
double one_nearest_neighbour(const at::Tensor& a, const at::Tensor& b);

// exp of the mean divergence of p(y | x) from its mean over x, where p is a
// classifier's softmax of logits (n, classes): from 1, where all images are
// alike to it, to the number of classes (Salimans et al. 2016,
// arXiv:1606.03498). Of all rows at once; it grows with n.
double inception_score(const at::Tensor& logits);

// Distance of each row of x to the nearest row of `to`, (n).
at::Tensor nearest_distance(const at::Tensor& x, const at::Tensor& to);

}  // namespace protean
