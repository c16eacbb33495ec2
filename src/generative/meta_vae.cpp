#include "generative/meta_vae.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/params.h"

namespace protean {

MetaVae::MetaVae(const GeneratorOptions& options, const LearnerOptions& o,
                 const TaskShape& train, const TaskCounts& eval)
    : SetVae(options, o, train, eval), learner_(o), optimizer_(o) {
  check_inner_steps(o);
  check_choice("learner.adapt", o.adapt, {"all", "head", "film", "code"});
  check_choice("generator.meta", options.meta, {"maml", "reptile"});
  const auto& all = spaces_.theta.parameters();
  for (size_t i = 0; i < all.size(); ++i)
    if (belongs(all[i].name, o.adapt)) adapted_.push_back(i);
  if (adapted_.empty())
    throw ConfigError("learner.adapt = \"" + o.adapt +
                      "\": the model has no such part; expected all or head");
}

void MetaVae::step(Params& phi, InnerState& state, const at::Tensor& support,
                   const at::Tensor& weight, const std::vector<TaskId>& ids,
                   int k, bool differentiable) const {
  const at::AutoGradMode grad_mode(true);
  const Scene scene{support, weight, support,
                    weight,  ids,    kLossSlots * static_cast<uint32_t>(k + 1)};
  const auto value = loss(phi, see(phi, scene), scene);
  std::vector<at::Tensor> inputs;
  for (size_t i : adapted_) inputs.push_back(phi[i]);
  const auto g = torch::autograd::grad({value.sum()}, inputs, {},
                                       differentiable, differentiable,
                                       /*allow_unused=*/false);
  const at::AutoGradMode step_mode(differentiable);
  optimizer_.step(phi, adapted_, g, value, state);
  if (!differentiable)
    for (size_t i : adapted_) phi[i] = phi[i].detach().requires_grad_();
}

TaskLosses MetaVae::gradient(const TaskBatch& batch, const MetaView& meta,
                             const MetaView& sums) const {
  const bool reptile = options_.meta == "reptile";
  const bool exact = learner_.second_order && !reptile;
  const auto theta = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
  const auto weight = shown(batch.ids, meta.theta);
  auto phi = theta;
  InnerState state;
  announce(Phase::inner);
  for (int k = 0; k < learner_.inner_steps; ++k)
    step(phi, state, batch.support.x, weight, batch.ids, k, exact);
  announce(Phase::outer);
  const Scene scene{batch.support.x, weight, batch.query.x, {}, batch.ids, 0};
  const auto value = loss(phi, see(phi, scene), scene);
  if (reptile) {
    Params difference;
    for (size_t i = 0; i < phi.size(); ++i)
      difference.push_back((theta[i] - phi[i]).detach());
    add_to_flat(spaces_.theta, difference, sums.theta);
  } else {
    add_to_flat(spaces_.theta,
                torch::autograd::grad({value.sum()}, exact ? theta : phi),
                sums.theta);
  }
  announce(Phase::idle);
  return {value.detach(), {}};
}

int MetaVae::eval_steps() const {
  return learner_.eval_steps < 0 ? learner_.inner_steps : learner_.eval_steps;
}

void MetaVae::adapt(const TaskBatch& batch, const MetaView& meta,
                    const Visit& visit) const {
  const auto& x = batch.support.x;
  const auto weight = at::ones({x.size(0), x.size(1)}, x.options());
  auto params = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
  InnerState state;
  for (int k = 0;; ++k) {
    {
      at::NoGradGuard no_grad;
      visit(k, given(params, batch));
    }
    if (k == eval_steps()) return;
    step(params, state, x, weight, batch.ids, k, false);
  }
}

}  // namespace protean
