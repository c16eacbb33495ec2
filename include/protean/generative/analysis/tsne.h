// t-SNE (van der Maaten and Hinton 2008, JMLR 9:2579): points in the plane
// whose neighbours are those that the points have in many dimensions. What is
// near belongs together; distances between far groups, and their sizes, mean
// nothing.
//
// Exact, in double and in a fixed order: equal arguments give equal bits on any
// number of threads. Time and memory grow with the square of the number of
// points: 1000 take seconds and 24 MB.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace protean {

constexpr int64_t kMostTsnePoints = 4000;

struct TsneOptions {
  double perplexity = 30;  // how many neighbours count, about
  int rounds = 1000;       // of descent; in the first quarter neighbours pull
                           // twelve times as hard
  uint64_t seed = 0;       // where the points start
};

// x (n, d) -> (n, n) in double. Row i: how likely i takes each other point for
// its neighbour, by a normal density about i so wide that exp(entropy) of the
// row is the perplexity (but where more points than that lie in one place).
// Throws Error unless 1 <= perplexity < n - 1 and n <= kMostTsnePoints,
// NumericError when x is not finite.
at::Tensor neighbour_shares(const at::Tensor& x, double perplexity);

// x (n, d) -> (n, 2) in double, about 0. Throws as neighbour_shares.
at::Tensor tsne(const at::Tensor& x, const TsneOptions& options);

}  // namespace protean
