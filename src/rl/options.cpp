#include "protean/core/settings.h"
#include "protean/rl/keys.h"

namespace protean {

void fields(Settings& s, PolicyOptions& o) {
  s.add("policy.deviation", &o.deviation)
      .says(
          "standard deviation of a continuous policy's actions before "
          "training; it is learnt")
      .when("about the size of a good action: too small explores nothing")
      .above(0)
      .only_with("data.source", {"point"});
  s.add("policy.discount", &o.discount)
      .says("discount gamma of rewards, per step")
      .when("1 for short rollouts, 0.99 for a hundred steps")
      .within(0, 1)
      .also_called({"gamma"});
  s.add("policy.trace", &o.trace)
      .says("lambda of the generalised advantage estimate")
      .when("below 1 trades variance for bias")
      .within(0, 1)
      .also_called({"gae_lambda"});
  s.add("policy.later_rate", &o.later_rate)
      .says(
          "share of learner.inner_lr for evaluation's steps beyond "
          "learner.inner_steps, which the policy was not trained for")
      .when("Finn et al. 2017 halve the rate; 1 keeps it")
      .above(0);
  s.add("policy.clip", &o.clip)
      .says("how far likelihood ratios may move from 1 (epsilon of PPO)")
      .when("0.2 to 0.3; smaller steps are safer and slower")
      .above(0)
      .also_called({"clip_epsilon", "clip_range"});
  s.add("policy.divergence", &o.divergence)
      .says(
          "weight eta of the divergence from the policies that collected the "
          "rollouts before adaptation")
      .when("raise it when returns collapse after a good start")
      .at_least(0);
  s.add("policy.epochs", &o.epochs)
      .says("outer steps made on each batch of rollouts")
      .when("more use rollouts better, too many leave the trust region")
      .at_least(1);
}

}  // namespace protean
