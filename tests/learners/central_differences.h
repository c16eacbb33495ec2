// A learner's meta-gradient against central differences of the query loss after
// adaptation, in double.
#pragma once

#include <algorithm>
#include <cmath>

#include "protean/learners/learner.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

namespace protean {

inline double loss_at(const Learner& learner, const TaskBatch& batch,
                      const at::Tensor& theta) {
  return run_gradient(learner, batch, {theta, at::zeros({0}, at::kDouble)})
      .losses.loss.sum()
      .item<double>();
}

// Smallest relative error over step sizes, of the derivative along d.
inline double directional_error(const Learner& learner, const TaskBatch& batch,
                                const at::Tensor& theta,
                                const at::Tensor& gradient,
                                const at::Tensor& d) {
  const double analytic = gradient.dot(d).item<double>();
  double best = 1;
  for (double h : {1e-4, 1e-5, 1e-6, 1e-7}) {
    const double numeric = (loss_at(learner, batch, theta + h * d) -
                            loss_at(learner, batch, theta - h * d)) /
                           (2 * h);
    best = std::min(best, std::abs(numeric - analytic) /
                              std::max(std::abs(analytic), 1e-3));
  }
  return best;
}

inline void check_directions(const Learner& learner, const TaskBatch& batch) {
  auto meta = initial_meta(learner, 3);
  // Away from the symmetric start, where norm shifts are all zero.
  meta.theta = meta.theta + 0.05 * noise(meta.theta.sizes(), 77);
  const auto g = run_gradient(learner, batch, meta).sums.theta;
  for (uint64_t direction = 0; direction < 5; ++direction) {
    auto d = noise(meta.theta.sizes(), 100 + direction);
    d = d / d.norm();
    CHECK(directional_error(learner, batch, meta.theta, g, d) < 1e-6);
  }
}

}  // namespace protean
