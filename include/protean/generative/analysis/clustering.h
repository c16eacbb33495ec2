// Groups of points: pseudo-classes for CACTUs, and how well groups match
// labels.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace protean {

// Lloyd's algorithm from k different points of x (n, d), at most `rounds`
// times; k <= n. Returns the group of every point, (n) int64, in [0, k); groups
// may be empty. The same seed gives the same groups.
at::Tensor k_means(const at::Tensor& x, int64_t k, int rounds, uint64_t seed);

// k_means on `partitions` random scalings of the dimensions, each uniform in
// [0, 1]: Hsu et al. 2019 (CACTUs), arXiv:1810.02334.
std::vector<at::Tensor> random_partitions(const at::Tensor& x, int64_t k,
                                          int partitions, int rounds,
                                          uint64_t seed);

struct Agreement {
  double purity = 0;              // share of points in their group's majority
  double mutual_information = 0;  // normalised by the mean of both entropies
  // Share of pairs that both put together, or both apart, with chance taken
  // off: 1 for the same groups, 0 on average for random ones of these sizes
  // (Hubert and Arabie 1985).
  double rand_index = 0;
};
// groups, labels: (n) int64, at least 0.
Agreement agreement(const at::Tensor& groups, const at::Tensor& labels);

}  // namespace protean
