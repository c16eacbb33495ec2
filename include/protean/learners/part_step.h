// An optimiser on a part of theta, for outer steps that consist of several. Its
// moments are a part of the whole step's, which checkpoints keep and resuming
// writes to.
#pragma once

#include <memory>

#include "protean/learners/outer_step.h"

namespace protean {

class PartStep {
 public:
  // Elements [begin, begin + size) of theta descend loss number `loss`.
  PartStep(const OptimOptions& options, int64_t begin, int64_t size, int loss);

  // Empty state of a whole step over `size` elements.
  OuterStep::State whole_state(int64_t size) const;
  // One update, as number whole.updates + 1; the caller counts.
  void run(Objective& objective, at::Tensor& theta, const StepContext& context,
           const OuterStep::State& whole);
  double last_gradient_norm() const { return step_->last_gradient_norm(); }

 private:
  int64_t begin_, size_;
  int loss_;
  std::unique_ptr<OuterStep> step_;
};

}  // namespace protean
