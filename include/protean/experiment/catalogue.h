// All there is to choose from: learners, networks, kinds of data, outer
// optimisers. Each is a row in its module's table, with its paper and the keys
// that it reads; a new one is a file, a row and a test.
#pragma once

#include <string>
#include <vector>

#include "protean/core/settings.h"

namespace protean {

struct Table {
  std::string key;  // whose value chooses
  std::vector<Entry> entries;
};

std::vector<Table> catalogue();

// The entries that the values of one key name.
std::vector<Entry> entries_of(const std::string& key);

}  // namespace protean
