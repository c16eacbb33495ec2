// Initial values by the papers' rules. A parameter carries its rule
// (core/parameter_space.h); its values depend on (seed, its index) alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protean/core/parameter_space.h"
#include "protean/models/options.h"

namespace protean {

// model.init and model.head_init: of a network's body and its head. Throws
// ConfigError naming the key on an unknown rule.
struct InitRules {
  explicit InitRules(const ModelOptions& options);
  Start::Rule body, head;
};

// Of a weight {out, in} or {out, in, height, width}, and of the bias of such a
// layer: 0, but by the rule `torch` uniform as the weight.
Start weight_start(Start::Rule rule, const std::vector<int64_t>& shape,
                   double gain = 1);
Start bias_start(Start::Rule rule, const std::vector<int64_t>& weight);

// Adds NAME.weight; returns its index.
size_t add_weight(ParameterSpace& space, const std::string& name,
                  std::vector<int64_t> shape, Start::Rule rule);
// And NAME.bias behind it.
size_t add_weight_and_bias(ParameterSpace& space, const std::string& name,
                           std::vector<int64_t> shape, Start::Rule rule);

// Writes the initial values of all parameters into flat theta, space.size()
// floats.
void fill_initial(const ParameterSpace& space, float* theta, uint64_t seed);

}  // namespace protean
