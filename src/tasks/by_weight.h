// A choice in proportion to weights.
#pragma once

#include <cstdint>
#include <vector>

namespace protean {

// Throws ConfigError naming `key` unless there are `count` weights, none below
// 0 and one above.
void check_weights(const char* key, const std::vector<float>& weights,
                   size_t count);

// The place that `uniform`, in [0, 1), falls on; never one with weight 0.
uint32_t by_weight(const std::vector<float>& weights, double uniform);

}  // namespace protean
