// What the user says about learners that act: section `policy` of the
// configuration.
#pragma once

namespace protean {

struct PolicyOptions {
  // policy.deviation: of a continuous policy's actions before training; it is
  // learnt.
  double deviation = 1;
  double discount = 0.99;  // policy.discount: gamma, per step
  // policy.trace: lambda of the generalised advantage estimate.
  double trace = 1;
  // policy.later_rate: share of the inner rate for evaluation's steps beyond
  // learner.inner_steps, which the policy was not trained for (Finn et al. 2017
  // halve it).
  double later_rate = 0.5;
  // policy.clip: how far likelihood ratios count from 1, epsilon; promp.
  double clip = 0.3;
  // policy.divergence: weight eta of the divergence from the policies that
  // collected the rollouts before adaptation; promp.
  double divergence = 5e-4;
  int epochs = 5;  // policy.epochs: outer steps per batch of rollouts; promp

  bool operator==(const PolicyOptions&) const = default;
};

}  // namespace protean
