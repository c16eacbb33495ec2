#include "learners/maml.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/initialise.h"
#include "protean/models/params.h"

namespace protean {

Maml::Maml(NetworkPtr net, const LearnerOptions& o, TargetKind target,
           std::shared_ptr<const InnerUpdate> update)
    : name_(o.second_order || o.name != "maml" ? o.name : "fomaml"),
      options_(o),
      inner_(std::move(net), o, target, update) {
  if (!o.second_order && !update && (o.truncate > 0 || o.checkpoint))
    throw ConfigError(
        concat(o.checkpoint ? "learner.checkpoint = true"
                            : concat("learner.truncate = ", o.truncate),
               " saves memory of the inner steps' graph, and first-order ones "
               "have none; expected learner.second_order = true"));
  if (o.first_order_steps < 0 || (o.first_order_steps > 0 && !o.second_order))
    throw ConfigError(
        concat("learner.first_order_steps = ", o.first_order_steps,
               "; expected 0, or with learner.second_order = "
               "true the meta-steps before the exact ones"));
  if (o.multi_loss_steps < 0)
    throw ConfigError(concat("learner.multi_loss_steps = ", o.multi_loss_steps,
                             "; expected at least 0"));
  spaces_.theta = inner_.net().params();
}

void Maml::initialise(const MetaView& meta, uint64_t seed) const {
  fill_initial(inner_.net().params(), meta.theta.data_ptr<float>(), seed);
}

Params Maml::leaves(const at::Tensor& theta, int64_t tasks) const {
  auto out = shared_params(spaces_.theta, theta);
  const auto& adapted = inner_.adapted();
  for (size_t i = 0; i < out.size(); ++i) {
    auto shape = out[i].sizes().vec();
    if (std::find(adapted.begin(), adapted.end(), i) != adapted.end())
      shape[0] = tasks;
    out[i] = out[i].expand(shape).detach().requires_grad_();
  }
  return out;
}

Maml::Start Maml::start_tasks(Params theta, const TaskBatch& batch) const {
  auto s = start(std::move(theta), batch);
  if (options_.proximal > 0)
    for (size_t i : inner_.adapted()) s.state.anchor.push_back(s.phi[i]);
  return s;
}

double Maml::step_weight(int k, int64_t meta_step) const {
  const double steps = inner_.steps();
  const bool last = k + 1 == inner_.steps();
  const auto end = static_cast<double>(options_.multi_loss_steps);
  if (static_cast<double>(meta_step) >= end) return last ? 1 : 0;
  const double early =
      std::max(1 - static_cast<double>(meta_step) / end, 0.03) / steps;
  return last ? 1 - (steps - 1) * early : early;
}

TaskLosses Maml::gradient(const TaskBatch& batch, const MetaView& meta,
                          const MetaView& sums) const {
  const auto theta = leaves(meta.theta, batch.tasks());
  announce(Phase::inner);
  auto [phi, state] = start_tasks(theta, batch);
  const int64_t meta_step = batch.ids.front().step;
  const auto through =
      options_.second_order && meta_step >= options_.first_order_steps
          ? Through::exact
          : Through::first_order;
  at::Tensor outer;
  TaskLosses last;
  inner_.train(phi, state, batch, through, [&](int k, const Params& phi_k) {
    const bool end = k + 1 == inner_.steps();
    const double weight = step_weight(k, meta_step);
    if (end) announce(Phase::outer);
    if (!end && weight == 0) return;
    const auto losses = inner_.query_losses(phi_k, batch);
    const auto part = weight == 1 ? losses.loss : losses.loss * weight;
    outer = outer.defined() ? outer + part : part;
    if (end) last = losses;
  });
  add_to_flat(spaces_.theta, meta_gradient(theta, phi, outer, through),
              sums.theta);
  announce(Phase::idle);
  last.loss = last.loss.detach();
  return last;
}

void Maml::adapt(const TaskBatch& batch, const MetaView& meta,
                 const Visit& visit) const {
  auto [phi, state] = start_tasks(leaves(meta.theta, batch.tasks()), batch);
  inner_.adapt(std::move(phi), std::move(state), batch, visit);
}

at::Tensor Maml::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  return inner_.predict(phi.params, phi.norm, part);
}

}  // namespace protean
