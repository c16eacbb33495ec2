#include "protean/learners/part_step.h"

#include <ATen/ATen.h>

namespace protean {
namespace {

class PartOf : public Objective {
 public:
  PartOf(Objective& whole, int loss, int64_t begin, int64_t size)
      : whole_(whole), loss_(loss), begin_(begin), size_(size) {}
  at::Tensor gradient(int) override {
    return whole_.gradient(loss_).narrow(0, begin_, size_);
  }

 private:
  Objective& whole_;
  int loss_;
  int64_t begin_, size_;
};

}  // namespace

PartStep::PartStep(const OptimOptions& options, int64_t begin, int64_t size,
                   int loss)
    : begin_(begin),
      size_(size),
      loss_(loss),
      step_(make_optimiser_step(options, size)) {}

OuterStep::State PartStep::whole_state(int64_t size) const {
  OuterStep::State state;
  state.names = step_->state().names;
  for (size_t i = 0; i < state.names.size(); ++i)
    state.buffers.push_back(at::zeros({size}, at::kFloat));
  return state;
}

void PartStep::run(Objective& objective, at::Tensor& theta,
                   const StepContext& context, const OuterStep::State& whole) {
  auto& state = step_->state();
  for (size_t i = 0; i < state.buffers.size(); ++i)
    state.buffers[i] = whole.buffers[i].narrow(0, begin_, size_);
  state.updates = whole.updates;
  PartOf part(objective, loss_, begin_, size_);
  auto own = theta.narrow(0, begin_, size_);
  step_->run(part, own, context);
}

}  // namespace protean
