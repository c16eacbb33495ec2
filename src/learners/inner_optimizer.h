// Differentiable optimisers for inner loops: phi and the moments are functions
// of what came before, nothing is written in place.
//
// adam: Kingma and Ba 2015, with sqrt(v + eps^2) in place of sqrt(v) + eps,
// because sqrt has no derivative at 0.
#pragma once

#include <cstdint>

#include "protean/learners/options.h"
#include "protean/models/network.h"

namespace protean {

class InnerOptimizer {
 public:
  // Throws ConfigError on an unknown learner.inner_optimizer.
  explicit InnerOptimizer(const LearnerOptions& options);

  // Moments, one tensor per adapted parameter; empty before the first step.
  struct State {
    Params first, second;
    // Rates of each adapted parameter, element by element, in place of
    // learner.inner_lr; empty: one rate for all. sgd only.
    Params rates;
    double updates = 0;  // of Adam, for its bias correction
  };
  bool is_plain_descent() const { return kind_ == Kind::sgd; }
  bool has_second_moment() const { return kind_ == Kind::adam; }

  // phi[i] for every i in `adapted`, by gradients in the same order.
  void step(Params& phi, const std::vector<size_t>& adapted,
            const std::vector<at::Tensor>& gradients, State& state) const;

 private:
  enum class Kind { sgd, momentum, adam } kind_;
  LearnerOptions options_;
};

}  // namespace protean
