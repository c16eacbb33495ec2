// What learners that act share: rollouts before each inner step, the step on
// them, and the shape of the meta-gradient.
//
//   phi_0 = theta;  phi_{k+1} = phi_k - alpha * grad J_k(phi_k)
//   J_k(phi) = -mean over the moments of trial k of
//                pi_phi(a|s) / pi_{phi_k'}(a|s) * A
//
// where phi_k' are the values of phi_k that trial k was collected with. J is
// the low-variance-curvature surrogate of Rothfuss et al. 2019,
// arXiv:1810.06784: its ratio makes the gradient and, unlike log pi, the
// Hessian right in expectation, so the derivative of the inner step passes
// through the sampling of the pre-update rollouts. (Their bound also drops the
// effect of theta on which rollouts phi is made from, and so does this.)
#pragma once

#include <vector>

#include "protean/learners/learner.h"
#include "protean/learners/options.h"
#include "protean/rl/options.h"

#include "rl/rollouts.h"

namespace protean {

struct Trial {
  Rollouts rollouts;
  at::Tensor advantage;  // (T, H, R)
};

// -mean of ratio * advantage per task, (T): of `law` at the trial's moments.
at::Tensor likelihood_ratio_loss(const ActionLaw& law, const Trial& trial);
// Likelihood ratios of the trial's actions, (T, H, R).
at::Tensor likelihood_ratio(const ActionLaw& law, const Trial& trial);
// Mean of values (T, H, R) over the moments of each task, (T).
at::Tensor mean_over_moments(const at::Tensor& values, const Trial& trial);

class PolicyGradient : public Learner {
 public:
  PolicyGradient(EnvironmentPtr environment, Policy policy,
                 const LearnerOptions& learner, const PolicyOptions& options);

  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  bool transductive() const override { return false; }
  int eval_steps() const override;

  // The policy's parameters for T tasks, as leaves.
  Params leaves(const at::Tensor& theta, int64_t tasks) const;
  // The outer loss at theta, (T), differentiable. Trials that `trials` lacks
  // are collected on the way, by the values of phi.
  at::Tensor loss(const Params& theta, const TaskBatch& batch,
                  std::vector<Trial>& trials) const;

 protected:
  // The outer loss, (T): laws[k] is phi_k's at the moments of trial k; the last
  // trial is that of the adapted policy.
  virtual at::Tensor outer_loss(const std::vector<ActionLaw>& laws,
                                const std::vector<Trial>& trials) const = 0;
  // Trials that were collected before this gradient.
  virtual std::vector<Trial> earlier_trials(const TaskBatch&,
                                            const MetaView&) const {
    return {};
  }
  // Trials 0 ... learner.inner_steps of adaptation from theta.
  std::vector<Trial> trials_from(const at::Tensor& theta,
                                 const TaskBatch& batch) const;

  const PolicyOptions options_;
  MetaSpaces spaces_;

 private:
  // part: one entry per rollout; k: number of the trial.
  Trial collect_trial(const Params& phi, const Part& part,
                      const std::vector<TaskId>& ids, int k) const;
  // phi after a step of descent on J, given its law at the trial's moments.
  Params descend(const Params& phi, const ActionLaw& law, const Trial& trial,
                 double rate, bool differentiable) const;
  // Trial k of phi, then phi after a step on it, as new leaves.
  Trial practise(Params& phi, const TaskBatch& batch, int k) const;

  EnvironmentPtr environment_;
  Policy policy_;
  LearnerOptions learner_;
};

}  // namespace protean
