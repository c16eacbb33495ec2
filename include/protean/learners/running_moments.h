// Running moments of normalisation layers, kept as meta-state: every task moves
// them from the same start, and the mean over the meta-batch is what stays.
#pragma once

#include "protean/learners/learner.h"

namespace protean {

// Appends a mean and a variance per layer to the space of the meta-state.
void add_running_moments(ParameterSpace& space,
                         const std::vector<int64_t>& channels);

// Means 0, variances 1.
void start_running_moments(const ParameterSpace& space,
                           const at::Tensor& state);

// The norm that uses them.
Norm running_norm(const ParameterSpace& space, const at::Tensor& state);

// Adds to sums what each task makes of `state` by its own moments, recorded by
// the network's layers; their weight is momentum. Variances are unbiased.
void move_running_moments(const ParameterSpace& space, const at::Tensor& state,
                          const std::vector<Moments>& own, double momentum,
                          const at::Tensor& sums);

// Throws ConfigError unless learner.norm_momentum is in (0, 1].
double checked_norm_momentum(double momentum);

}  // namespace protean
