// The keys of section `generator`, and the generative learners there are.
#pragma once

#include <vector>

#include "protean/generative/options.h"

namespace protean {

class Settings;
struct Entry;

void fields(Settings& s, GeneratorOptions& o);
void fields(Settings& s, GeneratedTaskOptions& o);

// In the order in which they are listed to users; learner.name chooses.
std::vector<Entry> generative_entries();

}  // namespace protean
