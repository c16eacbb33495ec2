// Every key of the configuration, bound to the field it sets.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/options.h"

namespace protean {

// A key, bound to its field.
struct Binding {
  std::string key, help;
  std::function<std::string()> get;
  // Throws std::invalid_argument with what was expected.
  std::function<void(const std::string&)> set;
};

// All keys in the order of the help; they refer to the two structs.
std::vector<Binding> bind_config(Config& config, BenchOptions& bench);

}  // namespace protean
