#include "generative/meta_vae.h"

#include <ATen/ATen.h>

#include "protean/core/choice.h"
#include "protean/learners/phase.h"
#include "protean/models/params.h"

#include "generative/adapted_part.h"

namespace protean {

MetaVae::MetaVae(const GeneratorOptions& options, const LearnerOptions& o,
                 const TaskShape& train, const TaskCounts& eval)
    : SetVae(options, o, train, eval), learner_(o), optimizer_(o) {
  check_inner_steps(o);
  check_choice("learner.adapt", o.adapt, {"all", "head", "film", "code"});
  check_choice("generator.meta", options.meta, {"maml", "reptile"});
  adapted_ = adapted_part(*this, o.adapt);
}

void MetaVae::step(Params& phi, InnerState& state, const at::Tensor& support,
                   const at::Tensor& weight, const std::vector<TaskId>& ids,
                   int k, Through through) const {
  const Scene scene{support, weight, support,
                    weight,  ids,    kLossSlots * static_cast<uint32_t>(k + 1)};
  inner_step(
      phi, state, adapted_,
      [&](const Params& p) { return loss(p, see(p, scene), scene); },
      optimizer_, through);
}

TaskLosses MetaVae::gradient(const TaskBatch& batch, const MetaView& meta,
                             const MetaView& sums) const {
  const auto through = through_of(options_, learner_);
  const auto theta = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
  const auto weight = shown(batch.ids, meta.theta);
  auto phi = theta;
  InnerState state;
  announce(Phase::inner);
  for (int k = 0; k < learner_.inner_steps; ++k)
    step(phi, state, batch.support.x, weight, batch.ids, k, through);
  announce(Phase::outer);
  const Scene scene{batch.support.x, weight, batch.query.x, {}, batch.ids, 0};
  const auto value = loss(phi, see(phi, scene), scene);
  add_to_flat(spaces_.theta, meta_gradient(theta, phi, value, through),
              sums.theta);
  announce(Phase::idle);
  return {value.detach(), {}};
}

int MetaVae::eval_steps() const { return steps_of_evaluation(learner_); }

void MetaVae::adapt(const TaskBatch& batch, const MetaView& meta,
                    const Visit& visit) const {
  const auto& x = batch.support.x;
  const auto weight = at::ones({x.size(0), x.size(1)}, x.options());
  auto params = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
  InnerState state;
  visit_steps(
      eval_steps(), [&](int k) { visit(k, given(params, batch)); },
      [&](int k) {
        step(params, state, x, weight, batch.ids, k, Through::nothing);
      });
}

}  // namespace protean
