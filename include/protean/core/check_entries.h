// Whether what one module alone was given is read by the entries chosen there:
// for the functions that make something of option structs.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "protean/core/settings.h"

namespace protean {

// Entries that the value of a key chooses from.
struct Table {
  std::string key;
  std::vector<Entry> entries;
};

// Throws ConfigError on an unknown entry, and on a value other than its default
// of a key that the chosen entries do not read. options: structs that have
// fields(Settings&, Options&).
template <typename... Options>
void check_entries(const std::vector<Table>& tables,
                   const Options&... options) {
  std::tuple<Options...> own;
  Settings s;
  std::apply([&s](auto&... o) { (fields(s, o), ...); }, own);
  for (const auto& table : tables) s.read_by(table.key, table.entries);
  own = std::tie(options...);
  s.check_entries();
}

}  // namespace protean
