// Small things that are done with lists everywhere.
#pragma once

#include <string>
#include <vector>

namespace protean {

// "a,b,,c" -> a, b, "", c; nothing for "". A comma at the end ends the last
// item and begins none.
std::vector<std::string> comma_separated(const std::string& text);

// The upper one of the two in the middle where their number is even. values: at
// least one.
double median(std::vector<double> values);

}  // namespace protean
