// The keys of sections `learner` and `optim`, and the learners and outer
// optimisers there are.
#pragma once

#include <vector>

#include "protean/learners/options.h"
#include "protean/learners/outer_step.h"

namespace protean {

class Settings;
struct Entry;

void fields(Settings& s, LearnerOptions& o);
void fields(Settings& s, OptimOptions& o);

// In the order in which they are listed to users; learner.name and optim.name
// choose.
std::vector<Entry> learner_entries();
std::vector<Entry> optimiser_entries();

}  // namespace protean
