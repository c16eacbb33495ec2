#include "learners/maml.h"

#include <torch/csrc/autograd/autograd.h>

#include "protean/learners/phase.h"
#include "protean/models/params.h"

namespace protean {

Maml::Maml(NetworkPtr net, const LearnerOptions& options, TargetKind target)
    : name_(options.second_order || options.name != "maml" ? options.name
                                                           : "fomaml"),
      second_order_(options.second_order),
      inner_(std::move(net), options, target) {
  spaces_.theta = inner_.net().params();
}

void Maml::initialise(const MetaView& meta, uint64_t seed) const {
  inner_.net().initialise(meta.theta.data_ptr<float>(), seed);
}

TaskLosses Maml::gradient(const TaskBatch& batch, const MetaView& meta,
                          const MetaView& sums) const {
  const auto theta = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
  auto [phi, state] = start(theta);
  announce(Phase::inner);
  inner_.train(phi, state, batch, second_order_);
  announce(Phase::outer);
  auto losses = inner_.query_losses(phi, batch);
  auto g = torch::autograd::grad({losses.loss.sum()},
                                 second_order_ ? theta : phi, {},
                                 /*retain_graph=*/false,
                                 /*create_graph=*/false,
                                 /*allow_unused=*/true);
  add_to_flat(spaces_.theta, g, sums.theta);
  announce(Phase::idle);
  losses.loss = losses.loss.detach();
  return losses;
}

void Maml::adapt(const TaskBatch& batch, const MetaView& meta,
                 const Visit& visit) const {
  auto [phi, state] =
      start(stacked_leaves(spaces_.theta, meta.theta, batch.tasks()));
  inner_.adapt(std::move(phi), std::move(state), batch, visit);
}

at::Tensor Maml::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  return inner_.predict(phi.params, phi.norm, part);
}

}  // namespace protean
