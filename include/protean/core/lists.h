// Small things that are done with lists everywhere.
#pragma once

#include <string>
#include <vector>

namespace protean {

// "a,b,,c" -> a, b, "", c; nothing for "". A comma at the end ends the last
// item and begins none.
std::vector<std::string> comma_separated(const std::string& text);

// "a, b, c", for messages.
std::string joined(const std::vector<std::string>& items);
// Of what name(item) gives for each item.
template <typename Items, typename Name>
std::string joined(const Items& items, const Name& name) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(name(item));
  return joined(names);
}

// The upper one of the two in the middle where their number is even. values: at
// least one.
double median(std::vector<double> values);

}  // namespace protean
