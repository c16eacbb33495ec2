#include <functional>
#include <memory>
#include <utility>

#include "protean/core/error.h"
#include "protean/core/unused.h"
#include "protean/learners/make_learner.h"
#include "protean/models/make_network.h"
#include "protean/rl/policy_learner.h"

#include "rl/maml_pg.h"
#include "rl/promp.h"

namespace protean {
namespace {

// Settings that no learner here looks at.
void check_unused(const LearnerOptions& o, const ModelOptions& m) {
  const LearnerOptions d;
  const Unused unused("learner.name = " + o.name);
  unused("learner.inner_optimizer", o.inner_optimizer, d.inner_optimizer);
  unused("learner.adapt", o.adapt, d.adapt);
  check_few_shot_alone(o);
  unused("model.context", m.context, ModelOptions().context);
}

void check_ppo_unused(const PolicyOptions& o) {
  const PolicyOptions d;
  const Unused unused("learner.name = mamlpg", "learner.name = promp");
  unused("policy.clip", o.clip, d.clip);
  unused("policy.divergence", o.divergence, d.divergence);
  unused("policy.epochs", o.epochs, d.epochs);
}

}  // namespace

bool is_policy_learner(const std::string& name) {
  return name == "promp" || name == "mamlpg";
}

std::string policy_learner_names() { return "promp, mamlpg"; }

LearnerPtr make_policy_learner(const LearnerOptions& learner,
                               const PolicyOptions& policy,
                               const ModelOptions& model,
                               EnvironmentPtr environment) {
  check_unused(learner, model);
  if (model.name != "mlp")
    throw ConfigError(
        concat("model.name = \"", model.name,
               "\"; expected mlp with learner.name = ", learner.name));
  const auto actions = environment->actions();
  if (actions.discrete)
    Unused("discrete actions")("policy.deviation", policy.deviation,
                               PolicyOptions().deviation);
  Policy acting(
      make_network(model, {environment->observation_size()}, actions.size),
      actions, policy.deviation);
  if (learner.name == "promp")
    return std::make_shared<Promp>(std::move(environment), std::move(acting),
                                   learner, policy);
  check_ppo_unused(policy);
  return std::make_shared<MamlPg>(std::move(environment), std::move(acting),
                                  learner, policy);
}

}  // namespace protean
