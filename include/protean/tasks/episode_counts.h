// How many images of each class an episode of Meta-Dataset has: Triantafillou
// et al. 2020, arXiv:1903.03096, appendix; meta_dataset/data/sampling.py, in
// double and in the order of operations that the reference has.
//
//   q    queries, of every class: min(max_queries, min_c floor(n_c / 2))
//   r_c  what is left, n_c - q
//   S    support images: min(max_support,
//                            sum_c floor(beta min(max_class_support, r_c) + 1))
//   k_c  of class c: min(floor(p_c (S - W)) + 1, r_c),
//        p_c in proportion to n_c exp(alpha_c)
//
// Parts that floor and min cut off go to nobody, so the k_c may sum to less
// than S.
#pragma once

#include <cstdint>
#include <vector>

namespace protean {

// Keys of section `task`, of training and evaluation tasks alike.
struct EpisodeOptions {
  uint32_t min_ways = 5;
  uint32_t max_ways = 50;
  uint32_t max_queries = 10;         // of each class
  uint32_t max_support = 500;        // in all
  uint32_t max_class_support = 100;  // of r_c, in S
  // Classes, or shots of each, of all tasks; 0 = drawn. Ways can be fixed where
  // classes have no order above them.
  uint32_t fixed_ways = 0;
  uint32_t fixed_shots = 0;
  // Chance of a task to draw its classes from the whole split, whatever order
  // they have; 1 = always.
  double ignore_hierarchy = 0;
  bool operator==(const EpisodeOptions&) const = default;
};

struct EpisodeCounts {
  uint32_t queries = 0;           // of each class
  std::vector<uint32_t> support;  // by class
};

// n: images of each class, at least 2, or fixed_shots + 1. beta in [0, 1);
// alpha: one per class, in [-ln 2, ln 2]; neither is read with fixed_shots.
EpisodeCounts episode_counts(const std::vector<uint32_t>& n, double beta,
                             const std::vector<double>& alpha,
                             const EpisodeOptions& options);

}  // namespace protean
