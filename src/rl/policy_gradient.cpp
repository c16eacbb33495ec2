#include "rl/policy_gradient.h"

#include <utility>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/params.h"
#include "protean/tasks/noise.h"

#include "rl/advantages.h"

namespace protean {
namespace {

// Slot of the rollouts that evaluation judges by; trials have their number.
constexpr uint32_t kJudged = 1u << 18;

}  // namespace

at::Tensor likelihood_ratio(const ActionLaw& law, const Trial& trial) {
  const auto& r = trial.rollouts;
  return (law.log_likelihood(r.action) - r.law.log_likelihood(r.action))
      .exp()
      .view_as(r.reward);
}

at::Tensor mean_over_moments(const at::Tensor& values, const Trial& trial) {
  const auto& alive = trial.rollouts.alive;
  return (values * alive).sum({1, 2}) / alive.sum({1, 2});
}

at::Tensor likelihood_ratio_loss(const ActionLaw& law, const Trial& trial) {
  return -mean_over_moments(likelihood_ratio(law, trial) * trial.advantage,
                            trial);
}

PolicyGradient::PolicyGradient(EnvironmentPtr environment, Policy policy,
                               const LearnerOptions& learner,
                               const PolicyOptions& options)
    : options_(options),
      environment_(std::move(environment)),
      policy_(std::move(policy)),
      learner_(learner) {
  const auto check = [](bool good, const char* key, auto value,
                        const char* expected) {
    if (!good)
      throw ConfigError(concat(key, " = ", value, "; expected ", expected));
  };
  check(learner.inner_steps >= 1, "learner.inner_steps", learner.inner_steps,
        "at least 1");
  check(learner.inner_lr > 0, "learner.inner_lr", learner.inner_lr,
        "a value above 0");
  check(options.deviation > 0, "policy.deviation", options.deviation,
        "a value above 0");
  check(options.discount >= 0 && options.discount <= 1, "policy.discount",
        options.discount, "a value in [0, 1]");
  check(options.trace >= 0 && options.trace <= 1, "policy.trace", options.trace,
        "a value in [0, 1]");
  check(options.later_rate > 0, "policy.later_rate", options.later_rate,
        "a value above 0");
  spaces_.theta = policy_.params();
}

void PolicyGradient::initialise(const MetaView& meta, uint64_t seed) const {
  policy_.initialise(meta.theta.data_ptr<float>(), seed);
}

Params PolicyGradient::leaves(const at::Tensor& theta, int64_t tasks) const {
  const auto& space = policy_.params();
  return stacked_leaves(space, theta.narrow(0, 0, space.size()), tasks);
}

Trial PolicyGradient::collect_trial(const Params& phi, const Part& part,
                                    const std::vector<TaskId>& ids,
                                    int k) const {
  Trial trial;
  trial.rollouts = collect(*environment_, policy_, phi, part.x, ids,
                           learner_.seed, static_cast<uint32_t>(k));
  trial.advantage =
      advantages(trial.rollouts, options_.discount, options_.trace);
  return trial;
}

Params PolicyGradient::descend(const Params& phi, const ActionLaw& law,
                               const Trial& trial, double rate,
                               bool differentiable) const {
  const auto g = torch::autograd::grad(
      {likelihood_ratio_loss(law, trial).sum()}, phi, {},
      /*retain_graph=*/true, /*create_graph=*/differentiable);
  Params next;
  for (size_t i = 0; i < phi.size(); ++i)
    next.push_back(at::sub(phi[i], g[i], rate));
  return next;
}

at::Tensor PolicyGradient::loss(const Params& theta, const TaskBatch& batch,
                                std::vector<Trial>& trials) const {
  const int steps = learner_.inner_steps;
  Params phi = theta;
  std::vector<ActionLaw> laws;
  for (int k = 0; k <= steps; ++k) {
    const auto number = static_cast<size_t>(k);
    if (trials.size() == number)
      trials.push_back(collect_trial(
          phi, k < steps ? batch.support : batch.query, batch.ids, k));
    const Trial& trial = trials[number];
    laws.push_back(policy_.at(phi, trial.rollouts.observation));
    if (k < steps)
      phi = descend(phi, laws.back(), trial, learner_.inner_lr,
                    learner_.second_order);
  }
  announce(Phase::outer);
  return outer_loss(laws, trials);
}

Trial PolicyGradient::practise(Params& phi, const TaskBatch& batch,
                               int k) const {
  auto trial = collect_trial(phi, batch.support, batch.ids, k);
  const double rate =
      learner_.inner_lr * (k < learner_.inner_steps ? 1 : options_.later_rate);
  phi = descend(phi, policy_.at(phi, trial.rollouts.observation), trial, rate,
                false);
  for (auto& p : phi) p = p.detach().requires_grad_();
  return trial;
}

std::vector<Trial> PolicyGradient::trials_from(const at::Tensor& theta,
                                               const TaskBatch& batch) const {
  const int steps = learner_.inner_steps;
  Params phi = leaves(theta, batch.tasks());
  std::vector<Trial> trials;
  for (int k = 0; k < steps; ++k) trials.push_back(practise(phi, batch, k));
  trials.push_back(collect_trial(phi, batch.query, batch.ids, steps));
  return trials;
}

TaskLosses PolicyGradient::gradient(const TaskBatch& batch,
                                    const MetaView& meta,
                                    const MetaView& sums) const {
  announce(Phase::inner);
  auto trials = earlier_trials(batch, meta);
  const auto theta = leaves(meta.theta, batch.tasks());
  const auto value = loss(theta, batch, trials);
  const auto& space = policy_.params();
  add_to_flat(space, torch::autograd::grad({value.sum()}, theta),
              sums.theta.narrow(0, 0, space.size()));
  announce(Phase::idle);
  return {-trials.back().rollouts.returns().mean(1),
          trials.front().rollouts.returns().mean(1)};
}

void PolicyGradient::adapt(const TaskBatch& batch, const MetaView& meta,
                           const Visit& visit) const {
  Phi phi;
  phi.params = leaves(meta.theta, batch.tasks());
  phi.memory = {to_tensor(batch.ids)};
  for (int k = 0;; ++k) {
    visit(k, phi);
    if (k == eval_steps()) return;
    practise(phi.params, batch, k);
  }
}

at::Tensor PolicyGradient::predict(const Phi& phi, const Part& part) const {
  return collect(*environment_, policy_, phi.params, part.x,
                 to_ids(phi.memory.at(0)), learner_.seed, kJudged)
      .returns()
      .unsqueeze(-1);
}

int PolicyGradient::eval_steps() const {
  return learner_.eval_steps < 0 ? learner_.inner_steps : learner_.eval_steps;
}

}  // namespace protean
