// What an inner step does with gradients: phi and the state are functions of
// what came before, nothing is written in place.
#pragma once

#include <utility>
#include <vector>

#include "protean/learners/options.h"
#include "protean/models/network.h"

namespace protean {

// What the inner loop of a stack of tasks carries from step to step.
struct InnerState {
  // Moments, one tensor per adapted parameter; empty before the first step.
  Params first, second;
  double updates = 0;  // steps made, with those that second moments are of
  double before = 0;   // of these, the ones before first moments began
  // Rates of each adapted parameter in place of learner.inner_lr, by step (the
  // last set for all later ones), of any shape that broadcasts; empty: one rate
  // for all. sgd only.
  std::vector<Params> rates;
  // What the update itself has learnt; the same for all steps.
  Params learned;
  // What learner.proximal pulls each adapted parameter to.
  Params anchor;
  // phi[first] is row k of second, (T or 1, steps, ...), at step k, and the
  // last row at all later ones.
  std::vector<std::pair<size_t, at::Tensor>> rows;
};

class InnerUpdate {
 public:
  virtual ~InnerUpdate() = default;
  // Moves phi[i] for every i in `adapted`, by gradients in the same order.
  // losses: of each task, (T).
  virtual void step(Params& phi, const std::vector<size_t>& adapted,
                    const Params& gradients, const at::Tensor& losses,
                    InnerState& state) const = 0;
};

// sgd, momentum or adam (Kingma and Ba 2015, with sqrt(v + eps^2) in place of
// sqrt(v) + eps, because sqrt has no derivative at 0).
class InnerOptimizer : public InnerUpdate {
 public:
  // Throws ConfigError on an unknown learner.inner_optimizer.
  explicit InnerOptimizer(const LearnerOptions& options);

  bool is_plain_descent() const { return kind_ == Kind::sgd; }
  bool has_second_moment() const { return kind_ == Kind::adam; }
  void step(Params& phi, const std::vector<size_t>& adapted,
            const Params& gradients, const at::Tensor& losses,
            InnerState& state) const override;

 private:
  enum class Kind { sgd, momentum, adam } kind_;
  LearnerOptions options_;
};

// Throws ConfigError unless learner.inner_steps and learner.inner_lr describe
// at least one step that goes somewhere.
void check_inner_steps(const LearnerOptions& options);

}  // namespace protean
