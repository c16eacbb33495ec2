// Proximal meta-policy search: Rothfuss et al. 2019, arXiv:1810.06784, alg. 1.
//
//   outer loss = -mean of min(r A, clip(r, 1 - epsilon, 1 + epsilon) A)
//                + eta * mean over k < K of KL(pi_{theta_o,k} || pi_{theta,k})
//
// r: likelihood ratio of the adapted policy to the one that collected the last
// trial; pi_{theta,k}: the policy after k inner steps from theta. theta_o, what
// theta was when the meta-step began, collected all trials, and several outer
// steps (policy.epochs) are made on them. It is the second half of this
// learner's theta, so every step, on any rank, finds the same trials again.
#pragma once

#include "rl/policy_gradient.h"
#include "rl/trial_memory.h"

namespace protean {

class Promp : public PolicyGradient {
 public:
  Promp(EnvironmentPtr environment, Policy policy,
        const LearnerOptions& learner, const PolicyOptions& options);

  std::string name() const override { return "promp"; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  std::unique_ptr<OuterStep> outer(const OptimOptions& options) const override;

 private:
  at::Tensor outer_loss(const std::vector<ActionLaw>& laws,
                        const std::vector<Trial>& trials) const override;
  std::vector<Trial> earlier_trials(const TaskBatch& batch,
                                    const MetaView& meta) const override;

  mutable TrialMemory memory_;
};

}  // namespace protean
