// Initial values by the papers' rules. A parameter's values depend on (seed,
// parameter index) alone.
#pragma once

#include <cstdint>
#include <string>

#include "protean/core/parameter_space.h"

namespace protean {

enum class Init { xavier, torch, truncated, normal };

// Throws ConfigError naming `key` on an unknown rule.
Init init_from_name(const std::string& key, const std::string& name);

// A weight with the given fans (inputs and outputs times kernel area).
void fill_weight(float* out, int64_t size, Init rule, int64_t fan_in,
                 int64_t fan_out, uint64_t seed, uint32_t index);
// Its bias: zero, except for the torch rule.
void fill_bias(float* out, int64_t size, Init rule, int64_t fan_in,
               uint64_t seed, uint32_t index);

// All of an image network by the names of its parameters: conv.weight by init,
// head.weight and head.bias by head_init, norm.scale 1, film.weight by the
// torch rule, all others 0. head: index of head.weight.
void initialise_network(const ParameterSpace& space, size_t head, Init init,
                        Init head_init, float* theta, uint64_t seed);

}  // namespace protean
