#include <functional>
#include <memory>
#include <utility>

#include "protean/core/error.h"
#include "protean/models/make_network.h"
#include "protean/rl/policy_learner.h"

#include "rl/maml_pg.h"
#include "rl/promp.h"

namespace protean {
namespace {

// Settings that no learner here looks at.
void check_unused(const LearnerOptions& o, const ModelOptions& m) {
  const LearnerOptions d;
  const std::pair<const char*, bool> changed[] = {
      {"learner.inner_optimizer", o.inner_optimizer != d.inner_optimizer},
      {"learner.adapt", o.adapt != d.adapt},
      {"learner.adapt_norm", o.adapt_norm != d.adapt_norm},
      {"learner.truncate", o.truncate != d.truncate},
      {"learner.checkpoint", o.checkpoint != d.checkpoint},
      {"learner.first_order_steps", o.first_order_steps != d.first_order_steps},
      {"learner.multi_loss_steps", o.multi_loss_steps != d.multi_loss_steps},
      {"learner.cg_steps", o.cg_steps != d.cg_steps},
      {"learner.proximal", o.proximal != d.proximal},
      {"learner.query_norm", o.query_norm != d.query_norm},
      {"learner.inner_batch", o.inner_batch != d.inner_batch},
      {"learner.eval_inner_batch", o.eval_inner_batch != d.eval_inner_batch},
      {"learner.norm_momentum", o.norm_momentum != d.norm_momentum},
      {"learner.temperature", o.temperature != d.temperature},
      {"learner.full_context", o.full_context != d.full_context},
      {"learner.context_reads", o.context_reads != d.context_reads},
      {"learner.width", o.width != d.width},
      {"learner.readout", o.readout != d.readout},
      {"model.context", m.context != 0}};
  for (const auto& [key, set] : changed)
    if (set)
      throw ConfigError(concat(key, " does nothing with learner.name = ",
                               o.name, "; expected its default"));
}

void check_ppo_unused(const PolicyOptions& o) {
  const PolicyOptions d;
  if (o.clip == d.clip && o.divergence == d.divergence && o.epochs == d.epochs)
    return;
  throw ConfigError(
      concat(o.clip != d.clip               ? "policy.clip"
             : o.divergence != d.divergence ? "policy.divergence"
                                            : "policy.epochs",
             " does nothing with learner.name = mamlpg; expected its default, "
             "or learner.name = promp"));
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
  if (actions.discrete && policy.deviation != PolicyOptions().deviation)
    throw ConfigError(
        concat("policy.deviation = ", policy.deviation,
               " does nothing with discrete actions; expected its default"));
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
