// The keys of section `task`, and the kinds of data there are.
#pragma once

#include <vector>

#include "protean/tasks/options.h"

namespace protean {

class Settings;
struct Entry;

void fields(Settings& s, TaskOptions& o);

// In the order in which they are listed to users; data.source chooses.
std::vector<Entry> source_entries();

}  // namespace protean
