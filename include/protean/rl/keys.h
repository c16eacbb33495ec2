// The keys of section `policy`, and the learners that act.
#pragma once

#include <vector>

#include "protean/rl/options.h"

namespace protean {

class Settings;
struct Entry;

void fields(Settings& s, PolicyOptions& o);

// In the order in which they are listed to users; learner.name chooses.
std::vector<Entry> policy_entries();

}  // namespace protean
