#include <functional>
#include <memory>
#include <utility>

#include "protean/core/error.h"
#include "protean/core/settings.h"
#include "protean/learners/keys.h"
#include "protean/models/keys.h"
#include "protean/models/make_network.h"
#include "protean/rl/keys.h"
#include "protean/rl/policy_learner.h"

#include "rl/maml_pg.h"
#include "rl/promp.h"

namespace protean {
namespace {

void check_settings(const LearnerOptions& learner, const PolicyOptions& policy,
                    const ModelOptions& model) {
  LearnerOptions l;
  PolicyOptions p;
  ModelOptions m;
  Settings s;
  fields(s, l);
  fields(s, p);
  fields(s, m);
  s.read_by("learner.name", policy_entries());
  s.read_by("model.name", network_entries());
  l = learner;
  p = policy;
  m = model;
  s.check_entries();
}

}  // namespace

std::vector<Entry> policy_entries() {
  const std::vector<std::string> keys = {
      "learner.inner_steps", "learner.inner_lr", "learner.second_order",
      "learner.eval_steps",  "model.name",       "model.head_init",
      "policy.deviation",    "policy.discount",  "policy.trace",
      "policy.later_rate"};
  auto more = keys;
  more.insert(more.end(),
              {"policy.clip", "policy.divergence", "policy.epochs"});
  return {{"promp", "proximal meta-policy search: several clipped outer steps",
           "Rothfuss et al. 2019, arXiv:1810.06784", "environments", more},
          {"mamlpg", "MAML by policy gradients",
           "Finn et al. 2017, arXiv:1703.03400", "environments", keys}};
}

bool is_policy_learner(const std::string& name) {
  return name == "promp" || name == "mamlpg";
}

std::string policy_learner_names() { return "promp, mamlpg"; }

LearnerPtr make_policy_learner(const LearnerOptions& learner,
                               const PolicyOptions& policy,
                               const ModelOptions& model,
                               EnvironmentPtr environment) {
  check_settings(learner, policy, model);
  if (model.name != "mlp")
    throw ConfigError(
        concat("model.name = \"", model.name,
               "\"; expected mlp with learner.name = ", learner.name));
  const auto actions = environment->actions();
  Policy acting(
      make_network(model, {environment->observation_size()}, actions.size),
      actions, policy.deviation);
  if (learner.name == "promp")
    return std::make_shared<Promp>(std::move(environment), std::move(acting),
                                   learner, policy);
  return std::make_shared<MamlPg>(std::move(environment), std::move(acting),
                                  learner, policy);
}

}  // namespace protean
