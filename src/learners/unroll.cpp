#include "protean/learners/unroll.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace protean {
namespace {

// from: the parameters that losses are differentiated at, of phi's values.
void step_from(Params& phi, const Params& from, InnerState& state,
               const std::vector<size_t>& adapted, const TaskLossOf& losses,
               const InnerUpdate& update, Through through, double proximal) {
  const bool exact = through == Through::exact;
  const at::AutoGradMode with_graph(true);
  const auto value = losses(from);
  Params inputs;
  for (size_t i : adapted) inputs.push_back(from[i]);
  auto gradients =
      torch::autograd::grad({value.sum()}, inputs, {}, /*retain_graph=*/exact,
                            /*create_graph=*/exact, /*allow_unused=*/true);
  for (size_t j = 0; j < gradients.size(); ++j)
    if (!gradients[j].defined()) gradients[j] = at::zeros_like(inputs[j]);
  const at::AutoGradMode mode(through != Through::nothing);
  if (proximal > 0)
    for (size_t j = 0; j < gradients.size(); ++j)
      gradients[j] = gradients[j] + proximal * (inputs[j] - state.anchor[j]);
  update.step(phi, adapted, gradients, exact ? value : value.detach(), state);
  if (through == Through::nothing)
    for (size_t i : adapted) phi[i] = phi[i].detach().requires_grad_();
}

}  // namespace

void inner_step(Params& phi, InnerState& state,
                const std::vector<size_t>& adapted, const TaskLossOf& losses,
                const InnerUpdate& update, Through through, double proximal) {
  const Params from = phi;
  step_from(phi, from, state, adapted, losses, update, through, proximal);
}

void inner_step_against(Params& phi, InnerState& state,
                        const std::vector<size_t>& adapted,
                        const TaskLossOf& losses, const InnerUpdate& update,
                        Through through) {
  // Differentiated at what only the losses' argument is made of.
  Params from = phi;
  for (size_t i : adapted) from[i] = phi[i].view_as(phi[i]);
  step_from(phi, from, state, adapted, losses, update, through, 0);
}

Params meta_gradient(const Params& start, const Params& phi,
                     const at::Tensor& losses, Through through) {
  if (through != Through::nothing)
    return torch::autograd::grad({losses.sum()}, start, {},
                                 /*retain_graph=*/false,
                                 /*create_graph=*/false,
                                 /*allow_unused=*/true);
  at::NoGradGuard no_grad;
  Params way;
  for (size_t i = 0; i < phi.size(); ++i) way.push_back(start[i] - phi[i]);
  return way;
}

int steps_of_evaluation(const LearnerOptions& o) {
  return o.eval_steps < 0 ? o.inner_steps : o.eval_steps;
}

void visit_steps(int steps, const std::function<void(int k)>& visit,
                 const std::function<void(int k)>& step) {
  for (int k = 0;; ++k) {
    {
      at::NoGradGuard no_grad;
      visit(k);
    }
    if (k == steps) return;
    step(k);
  }
}

}  // namespace protean
