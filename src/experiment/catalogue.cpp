#include "protean/experiment/catalogue.h"

#include "protean/core/error.h"
#include "protean/generative/keys.h"
#include "protean/learners/keys.h"
#include "protean/models/keys.h"
#include "protean/rl/keys.h"
#include "protean/tasks/keys.h"

namespace protean {

std::vector<Table> catalogue() {
  auto learners = learner_entries();
  for (const auto& more : {generative_entries(), policy_entries()})
    learners.insert(learners.end(), more.begin(), more.end());
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

}  // namespace protean
