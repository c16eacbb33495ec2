// The keys of section `model`, and the networks there are.
#pragma once

#include <vector>

#include "protean/models/options.h"

namespace protean {

class Settings;
struct Entry;

void fields(Settings& s, ModelOptions& o);

// In the order in which they are listed to users; model.name chooses.
std::vector<Entry> network_entries();

}  // namespace protean
