#include "protean/experiment/catalogue.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/generative/generative_learner.h"
#include "protean/generative/keys.h"
#include "protean/learners/keys.h"
#include "protean/learners/make_learner.h"
#include "protean/models/keys.h"
#include "protean/rl/keys.h"
#include "protean/rl/policy_learner.h"
#include "protean/tasks/keys.h"

namespace protean {
namespace {

// Learners that are made of the same things, a table in their own module.
struct Family {
  std::vector<Entry> (*entries)();
  LearnerPtr (*make)(const Config&, const TaskSources&);
};

constexpr Family kFamilies[] = {
    {learner_entries,
     [](const Config& c, const TaskSources& tasks) {
       return make_learner(c.learner, c.model, tasks.train_shape);
     }},
    {generative_entries,
     [](const Config& c, const TaskSources& tasks) -> LearnerPtr {
       return make_generative_learner(c.learner, c.generator, tasks.train_shape,
                                      c.eval_counts());
     }},
    {policy_entries,
     [](const Config& c, const TaskSources& tasks) {
       return make_policy_learner(c.learner, c.policy, c.model,
                                  tasks.environment);
     }},
};

std::vector<OwnLearner>& own_learners() {
  static std::vector<OwnLearner> all;
  return all;
}

}  // namespace

void add_learner(OwnLearner learner) {
  for (const auto& entry : entries_of("learner.name"))
    if (entry.name == learner.entry.name)
      throw Error("learner.name = " + entry.name + " is there already");
  own_learners().push_back(std::move(learner));
}

std::vector<Table> catalogue() {
  std::vector<Entry> learners;
  for (const auto& family : kFamilies)
    for (auto& entry : family.entries()) learners.push_back(std::move(entry));
  for (const auto& own : own_learners()) learners.push_back(own.entry);
  return {{"data.source", source_entries()},
          {"learner.name", std::move(learners)},
          {"model.name", network_entries()},
          {"optim.name", optimiser_entries()}};
}

std::vector<Entry> entries_of(const std::string& key) {
  for (auto& table : catalogue())
    if (table.key == key) return std::move(table.entries);
  throw Error("nothing is chosen by " + key);
}

LearnerPtr make_chosen_learner(const Config& config, const TaskSources& tasks) {
  for (const auto& own : own_learners())
    if (own.entry.name == config.learner.name) return own.make(config, tasks);
  for (const auto& family : kFamilies) {
    const auto entries = family.entries();
    if (std::any_of(entries.begin(), entries.end(), [&](const Entry& e) {
          return e.name == config.learner.name;
        }))
      return family.make(config, tasks);
  }
  throw Error("learner.name = " + config.learner.name + " is in no table");
}

}  // namespace protean
