// What holds for every metric learner.
#pragma once

#include <algorithm>
#include <cmath>

#include "protean/learners/learner.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

namespace protean {

// theta and its gradient of the loss, where running moments are state.
inline void check_metric(const Learner& learner, const TaskBatch& batch) {
  auto meta = initial_meta(learner, 3);
  meta.theta = meta.theta + 0.05 * noise(meta.theta.sizes(), 77);
  const auto g = run_gradient(learner, batch, meta).sums.theta;
  const auto loss = [&](const at::Tensor& theta) {
    return run_gradient(learner, batch, {theta, meta.state})
        .losses.loss.sum()
        .item<double>();
  };
  for (uint64_t direction = 0; direction < 5; ++direction) {
    auto d = noise(meta.theta.sizes(), 100 + direction);
    d = d / d.norm();
    const double analytic = g.dot(d).item<double>();
    double best = 1;
    for (double h : {1e-4, 1e-5, 1e-6})
      best = std::min(
          best, std::abs((loss(meta.theta + h * d) - loss(meta.theta - h * d)) /
                             (2 * h) -
                         analytic) /
                    std::max(std::abs(analytic), 1e-3));
    CHECK(best < 1e-6);
  }
}

// Predictions of every query, and of each one alone.
inline void check_inductive(const Learner& learner, const TaskBatch& batch) {
  CHECK_FALSE(learner.transductive());
  const auto meta = initial_meta(learner, 3);
  learner.adapt(batch, meta, [&](int k, const Phi& phi) {
    CHECK(k == 0);
    const auto all = learner.predict(phi, batch.query);
    Part one = batch.query;
    one.x = one.x.narrow(1, 1, 1);
    CHECK(at::allclose(learner.predict(phi, one), all.narrow(1, 1, 1), 1e-9,
                       1e-9));
  });
}

}  // namespace protean
