// Inner steps of a stack of tasks, and the meta-gradient that comes from them:
// one place for all learners that adapt by gradients.
//
//   phi_0 = theta;  phi_{k+1} = update(phi_k, grad of losses at phi_k)
//
//   exact        d L(phi_K) / d theta
//   first order  the same with the inner gradients as constants
//   nothing      theta - phi_K, which descends to phi_K (Reptile)
//
// (Finn et al. 2017, arXiv:1703.03400; Nichol et al. 2018, arXiv:1803.02999.)
// Losses are (T), parameters (T or 1, ...).
#pragma once

#include <functional>
#include <vector>

#include "protean/learners/inner_optimizer.h"

namespace protean {

// What a later gradient sees of an inner step.
enum class Through {
  nothing,      // phi starts anew as a leaf
  first_order,  // the step, but its gradient as a constant
  exact
};

using TaskLossOf = std::function<at::Tensor(const Params& phi)>;

// One step of phi[i], i in `adapted`, by `update`. A parameter that the losses
// leave out has gradient 0. proximal: pulls with such a force towards
// state.anchor.
void inner_step(Params& phi, InnerState& state,
                const std::vector<size_t>& adapted, const TaskLossOf& losses,
                const InnerUpdate& update, Through through,
                double proximal = 0);
// The same where the losses hold other things that came from phi in earlier
// steps, as an adversary does: these are constants to the step.
void inner_step_against(Params& phi, InnerState& state,
                        const std::vector<size_t>& adapted,
                        const TaskLossOf& losses, const InnerUpdate& update,
                        Through through);

// For each of start, which are leaves: what the outer losses at phi make of it
// after steps of such a kind. Undefined where they do not depend on it.
Params meta_gradient(const Params& start, const Params& phi,
                     const at::Tensor& losses, Through through);

// How many inner steps evaluation makes: learner.eval_steps, or where that is
// negative as many as training does.
int steps_of_evaluation(const LearnerOptions& options);
// Evaluation: visit(k) before step k of each 0 ... steps - 1, and visit(steps)
// after all of them; visits are not differentiable.
void visit_steps(int steps, const std::function<void(int k)>& visit,
                 const std::function<void(int k)>& step);

}  // namespace protean
