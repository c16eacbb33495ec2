#include "learners/reptile.h"

#include "protean/learners/phase.h"
#include "protean/learners/task_loss.h"
#include "protean/models/initialise.h"
#include "protean/models/params.h"

namespace protean {

Reptile::Reptile(NetworkPtr net, const LearnerOptions& options,
                 TargetKind target)
    : inner_(std::move(net), options, target), target_(target) {
  spaces_.theta = inner_.net().params();
  if (!inner_.optimizer().has_second_moment()) return;
  for (size_t i : inner_.adapted()) {
    const auto& p = spaces_.theta.parameters()[i];
    spaces_.state.add("second_moment." + p.name, p.shape);
  }
  spaces_.state.add("updates", {1});
}

void Reptile::initialise(const MetaView& meta, uint64_t seed) const {
  fill_initial(spaces_.theta, meta.theta.data_ptr<float>(), seed);
  meta.state.zero_();
}

InnerState Reptile::start_state(const MetaView& meta, int64_t tasks) const {
  InnerState state;
  if (spaces_.state.count() == 0) return state;
  state.second = shared_params(spaces_.state, meta.state);
  state.updates = state.second.back().item<double>();
  state.second.pop_back();
  for (auto& v : state.second) {
    auto shape = v.sizes().vec();
    shape[0] = tasks;
    v = v.expand(shape);
  }
  return state;
}

TaskLosses Reptile::gradient(const TaskBatch& batch, const MetaView& meta,
                             const MetaView& sums) const {
  const auto theta = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
  auto phi = theta;
  auto state = start_state(meta, batch.tasks());
  announce(Phase::inner);
  inner_.train(phi, state, batch, Through::nothing);
  announce(Phase::outer);
  at::NoGradGuard no_grad;
  add_to_flat(spaces_.theta, meta_gradient(theta, phi, {}, Through::nothing),
              sums.theta);
  if (spaces_.state.count()) {
    state.second.push_back(
        at::full({batch.tasks(), 1}, state.updates, meta.state.options()));
    add_to_flat(spaces_.state, state.second, sums.state);
  }
  // Reptile learns from the support set alone; what is reported is its loss
  // after adaptation.
  const auto norm = inner_.query_norm(phi, batch.support);
  auto prediction = inner_.predict(phi, norm, batch.support);
  announce(Phase::idle);
  return {task_loss(prediction, batch.support, target_),
          task_accuracy(prediction, batch.support, target_)};
}

void Reptile::adapt(const TaskBatch& batch, const MetaView& meta,
                    const Visit& visit) const {
  inner_.adapt(stacked_leaves(spaces_.theta, meta.theta, batch.tasks()),
               start_state(meta, batch.tasks()), batch, visit);
}

at::Tensor Reptile::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  return inner_.predict(phi.params, phi.norm, part);
}

}  // namespace protean
