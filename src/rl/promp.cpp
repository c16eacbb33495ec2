#include "rl/promp.h"

#include <utility>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/learners/part_step.h"

namespace protean {
namespace {

// theta is [theta | theta_o].
class PrompStep : public OuterStep {
 public:
  PrompStep(const OptimOptions& options, int64_t size, int epochs)
      : size_(size),
        epochs_(epochs),
        step_(options, 0, size, /*loss=*/0),
        state_(step_.whole_state(2 * size)) {}

  void run(Objective& objective, at::Tensor& theta,
           const StepContext& context) override {
    theta.narrow(0, size_, size_).copy_(theta.narrow(0, 0, size_));
    for (int epoch = 0; epoch < epochs_; ++epoch) {
      step_.run(objective, theta, context, state_);
      ++state_.updates;
    }
  }

  State& state() override { return state_; }
  double last_gradient_norm() const override {
    return step_.last_gradient_norm();
  }

 private:
  int64_t size_;
  int epochs_;
  PartStep step_;
  State state_;
};

}  // namespace

Promp::Promp(EnvironmentPtr environment, Policy policy,
             const LearnerOptions& learner, const PolicyOptions& options)
    : PolicyGradient(std::move(environment), std::move(policy), learner,
                     options) {
  if (!(options.clip > 0))
    throw ConfigError(
        concat("policy.clip = ", options.clip, "; expected a value above 0"));
  if (!(options.divergence >= 0))
    throw ConfigError(concat("policy.divergence = ", options.divergence,
                             "; expected at least 0"));
  if (options.epochs < 1)
    throw ConfigError(
        concat("policy.epochs = ", options.epochs, "; expected at least 1"));
  const auto own = spaces_.theta.parameters();
  for (const auto& p : own) spaces_.theta.add("old." + p.name, p.shape);
}

void Promp::initialise(const MetaView& meta, uint64_t seed) const {
  PolicyGradient::initialise(meta, seed);
  const auto halves = meta.theta.view({2, -1});
  halves[1].copy_(halves[0]);
}

std::unique_ptr<OuterStep> Promp::outer(const OptimOptions& options) const {
  return std::make_unique<PrompStep>(options, spaces_.theta.size() / 2,
                                     options_.epochs);
}

std::vector<Trial> Promp::earlier_trials(const TaskBatch& batch,
                                         const MetaView& meta) const {
  const auto theta = meta.theta.view({2, -1})[1];
  return memory_.recall(batch, theta,
                        [&] { return trials_from(theta, batch); });
}

at::Tensor Promp::outer_loss(const std::vector<ActionLaw>& laws,
                             const std::vector<Trial>& trials) const {
  const Trial& last = trials.back();
  const auto ratio = likelihood_ratio(laws.back(), last);
  const auto clipped = ratio.clamp(1 - options_.clip, 1 + options_.clip);
  auto loss = -mean_over_moments(
      at::minimum(ratio * last.advantage, clipped * last.advantage), last);
  const size_t steps = trials.size() - 1;
  for (size_t k = 0; k < steps; ++k) {
    const auto& r = trials[k].rollouts;
    const auto apart = divergence(r.law, laws[k]).view_as(r.reward);
    loss = loss + options_.divergence / static_cast<double>(steps) *
                      mean_over_moments(apart, trials[k]);
  }
  return loss;
}

}  // namespace protean
