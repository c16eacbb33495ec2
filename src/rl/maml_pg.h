// MAML for reinforcement learning: Finn et al. 2017, arXiv:1703.03400, alg. 3,
// with a plain policy gradient as the outer step where they have TRPO. Second
// order, through the surrogate of policy_gradient.h; one outer step per batch
// of rollouts.
#pragma once

#include "rl/policy_gradient.h"

namespace protean {

class MamlPg : public PolicyGradient {
 public:
  using PolicyGradient::PolicyGradient;
  std::string name() const override { return "mamlpg"; }

 private:
  at::Tensor outer_loss(const std::vector<ActionLaw>& laws,
                        const std::vector<Trial>& trials) const override {
    return likelihood_ratio_loss(laws.back(), trials.back());
  }
};

}  // namespace protean
