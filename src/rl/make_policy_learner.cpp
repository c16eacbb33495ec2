#include <algorithm>
#include <memory>
#include <utility>

#include "protean/core/check_entries.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/learners/keys.h"
#include "protean/models/keys.h"
#include "protean/models/make_network.h"
#include "protean/rl/keys.h"
#include "protean/rl/policy_learner.h"

#include "rl/maml_pg.h"
#include "rl/promp.h"

namespace protean {
namespace {

// What a learner that acts is made from.
struct Parts {
  EnvironmentPtr environment;
  Policy policy;
  const LearnerOptions& learner;
  const PolicyOptions& options;
};

struct Row {
  Entry entry;
  LearnerPtr (*make)(Parts);
};

template <typename T>
LearnerPtr plain(Parts p) {
  return std::make_shared<T>(std::move(p.environment), std::move(p.policy),
                             p.learner, p.options);
}

using Keys = std::vector<std::string>;

Keys operator+(Keys a, const Keys& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Keys kAll = {"learner.inner_steps",  "learner.inner_lr",
                   "learner.second_order", "learner.eval_steps",
                   "model.name",           "model.head_init",
                   "policy.deviation",     "policy.discount",
                   "policy.trace",         "policy.later_rate"};

// In the order in which they are listed to users.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {{"promp", "proximal meta-policy search: several clipped outer steps",
        "Rothfuss et al. 2019, arXiv:1810.06784", "environments",
        kAll + Keys{"policy.clip", "policy.divergence", "policy.epochs"}},
       plain<Promp>},
      {{"mamlpg", "MAML by policy gradients",
        "Finn et al. 2017, arXiv:1703.03400", "environments", kAll},
       plain<MamlPg>},
  };
  return all;
}

}  // namespace

std::vector<Entry> policy_entries() {
  std::vector<Entry> entries;
  for (const auto& row : rows()) entries.push_back(row.entry);
  return entries;
}

bool is_policy_learner(const std::string& name) {
  return std::any_of(rows().begin(), rows().end(),
                     [&](const Row& row) { return row.entry.name == name; });
}

std::string policy_learner_names() {
  return joined(rows(), [](const Row& row) { return row.entry.name; });
}

LearnerPtr make_policy_learner(const LearnerOptions& learner,
                               const PolicyOptions& policy,
                               const ModelOptions& model,
                               EnvironmentPtr environment) {
  check_entries(
      {{"learner.name", policy_entries()}, {"model.name", network_entries()}},
      learner, policy, model);
  if (model.name != "mlp")
    throw ConfigError(
        concat("model.name = \"", model.name,
               "\"; expected mlp with learner.name = ", learner.name));
  const auto actions = environment->actions();
  Policy acting(
      make_network(model, {environment->observation_size()}, actions.size),
      actions, policy.deviation);
  return std::find_if(
             rows().begin(), rows().end(),
             [&](const Row& row) { return row.entry.name == learner.name; })
      ->make({std::move(environment), std::move(acting), learner, policy});
}

}  // namespace protean
