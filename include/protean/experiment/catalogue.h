// All there is to choose from: learners, networks, kinds of data, outer
// optimisers. Each is a row in its module's table, with its paper, the keys
// that it reads, and how it is made; a new one is a file, a row and a test.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protean/core/check_entries.h"
#include "protean/experiment/config.h"
#include "protean/learners/learner.h"
#include "protean/tasks/open_tasks.h"

namespace protean {

std::vector<Table> catalogue();

// A learner of a program's own. It reads the keys that its entry names, of
// those that there are.
struct OwnLearner {
  Entry entry;
  std::function<LearnerPtr(const Config&, const TaskSources&)> make;
};
// It is in the catalogue from then on. At the start of main(), before anything
// else of this; throws Error on a name that is taken.
void add_learner(OwnLearner learner);

// The entries that the values of one key name.
std::vector<Entry> entries_of(const std::string& key);

// The learner that learner.name names, for such tasks. Throws ConfigError
// naming the key on an impossible setting.
LearnerPtr make_chosen_learner(const Config& config, const TaskSources& tasks);

}  // namespace protean
