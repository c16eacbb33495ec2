#include "learners/cavia.h"

#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/learners/task_loss.h"
#include "protean/models/params.h"

namespace protean {

Cavia::Cavia(NetworkPtr net, const LearnerOptions& options, TargetKind target)
    : net_(std::move(net)), options_(options), target_(target) {
  if (net_->context_size() < 1)
    throw ConfigError(
        "learner.name = cavia adapts context values; expected model.context of "
        "1 or more, with model.name = mlp");
  if (options.inner_steps < 1)
    throw ConfigError(concat("learner.inner_steps = ", options.inner_steps,
                             "; expected at least 1"));
  if (!(options.inner_lr > 0))
    throw ConfigError(concat("learner.inner_lr = ", options.inner_lr,
                             "; expected a value above 0"));
  if (options.inner_optimizer != "sgd")
    throw ConfigError("learner.inner_optimizer = \"" + options.inner_optimizer +
                      "\"; expected sgd with learner.name = cavia");
  spaces_.theta = net_->params();
}

void Cavia::initialise(const MetaView& meta, uint64_t seed) const {
  net_->initialise(meta.theta.data_ptr<float>(), seed);
}

at::Tensor Cavia::start(const TaskBatch& batch) const {
  return at::zeros({batch.tasks(), net_->context_size()},
                   batch.support.x.options())
      .requires_grad_();
}

at::Tensor Cavia::forward(const Params& theta, const at::Tensor& c,
                          const Part& part) const {
  Norm norm;
  return net_->forward(theta, {part.x, part.weight, c}, norm);
}

at::Tensor Cavia::step(const Params& theta, const at::Tensor& c,
                       const Part& support, bool differentiable) const {
  const auto loss = task_loss(forward(theta, c, support), support, target_);
  const auto g = torch::autograd::grad({loss.sum()}, {c}, {}, differentiable,
                                       differentiable)[0];
  if (differentiable) return c - options_.inner_lr * g;
  return (c.detach() - options_.inner_lr * g).requires_grad_();
}

TaskLosses Cavia::gradient(const TaskBatch& batch, const MetaView& meta,
                           const MetaView& sums) const {
  auto theta = shared_params(spaces_.theta, meta.theta);
  for (auto& p : theta) p = p.detach().requires_grad_();
  announce(Phase::inner);
  auto c = start(batch);
  for (int k = 0; k < options_.inner_steps; ++k)
    c = step(theta, c, batch.support, options_.second_order);
  announce(Phase::outer);
  const auto prediction = forward(theta, c, batch.query);
  const auto loss = task_loss(prediction, batch.query, target_);
  add_to_flat(spaces_.theta, torch::autograd::grad({loss.sum()}, theta),
              sums.theta);
  announce(Phase::idle);
  return {loss.detach(), task_accuracy(prediction, batch.query, target_)};
}

void Cavia::adapt(const TaskBatch& batch, const MetaView& meta,
                  const Visit& visit) const {
  Phi phi;
  phi.params = shared_params(spaces_.theta, meta.theta);
  phi.extra = start(batch);
  for (int k = 0;; ++k) {
    {
      at::NoGradGuard no_grad;
      visit(k, phi);
    }
    if (k == eval_steps()) return;
    phi.extra = step(phi.params, phi.extra, batch.support, false);
  }
}

at::Tensor Cavia::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  return forward(phi.params, phi.extra, part);
}

int Cavia::eval_steps() const {
  return options_.eval_steps < 0 ? options_.inner_steps : options_.eval_steps;
}

}  // namespace protean
