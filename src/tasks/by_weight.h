// A choice in proportion to weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace protean {

// Throws ConfigError naming `key` unless there are `count` weights, none below
// 0 and one above.
void check_weights(const char* key, const std::vector<float>& weights,
                   size_t count);

// data.weights = "1,2": one for each of `count` data sets. Throws ConfigError.
std::vector<float> parse_weights(const std::string& text, size_t count);

// The place that `uniform`, in [0, 1), falls on; never one with weight 0.
uint32_t by_weight(const std::vector<float>& weights, double uniform);

}  // namespace protean
