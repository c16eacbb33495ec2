#include "protean/models/initialise.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

using Rule = Start::Rule;

Rule rule_of(const std::string& key, const std::string& name) {
  if (name == "xavier") return Rule::xavier;
  if (name == "torch") return Rule::torch;
  if (name == "truncated") return Rule::truncated;
  if (name == "normal") return Rule::normal;
  throw ConfigError(concat(key, " = \"", name,
                           "\"; expected one of: xavier, torch, truncated, "
                           "normal"));
}

void fill_uniform(float* out, int64_t size, double bound, Draws draws) {
  for (int64_t i = 0; i < size; ++i)
    out[i] = static_cast<float>(draws.uniform(-bound, bound));
}

void fill(float* out, int64_t size, const Start& s, Draws draws) {
  switch (s.rule) {
    case Rule::zero:
      std::fill(out, out + size, 0.0f);
      return;
    case Rule::one:
      std::fill(out, out + size, 1.0f);
      return;
    case Rule::xavier:
      return fill_uniform(out, size, std::sqrt(6.0 / (s.fan_in + s.fan_out)),
                          draws);
    case Rule::torch:
      return fill_uniform(out, size, 1 / std::sqrt(double(s.fan_in)), draws);
    case Rule::truncated:
      for (int64_t i = 0; i < size; ++i) {
        double z;
        do z = draws.normal();
        while (std::abs(z) > 2);
        out[i] = static_cast<float>(0.01 * z);
      }
      return;
    case Rule::normal:
      for (int64_t i = 0; i < size; ++i)
        out[i] = static_cast<float>(draws.normal());
      return;
  }
}

}  // namespace

InitRules::InitRules(const ModelOptions& o)
    : body(rule_of("model.init", o.init)),
      head(o.head_init.empty() ? body
                               : rule_of("model.head_init", o.head_init)) {}

Start weight_start(Start::Rule rule, const std::vector<int64_t>& shape,
                   double gain) {
  const int64_t area = shape.size() == 4 ? shape[2] * shape[3] : 1;
  return {rule, shape[1] * area, shape[0] * area, gain};
}

Start bias_start(Start::Rule rule, const std::vector<int64_t>& weight) {
  return rule == Rule::torch ? weight_start(rule, weight) : Start{};
}

size_t add_weight(ParameterSpace& space, const std::string& name,
                  std::vector<int64_t> shape, Start::Rule rule) {
  const auto start = weight_start(rule, shape);
  return space.add(name + ".weight", std::move(shape), start);
}

size_t add_weight_and_bias(ParameterSpace& space, const std::string& name,
                           std::vector<int64_t> shape, Start::Rule rule) {
  const auto bias = bias_start(rule, shape);
  const int64_t outputs = shape[0];
  const size_t weight = add_weight(space, name, std::move(shape), rule);
  space.add(name + ".bias", {outputs}, bias);
  return weight;
}

void fill_initial(const ParameterSpace& space, float* theta, uint64_t seed) {
  const auto& all = space.parameters();
  for (uint32_t i = 0; i < all.size(); ++i) {
    const auto& p = all[i];
    float* const out = theta + p.offset;
    fill(out, p.size, p.start, Draws(seed, {}, Purpose::initialise, i));
    if (p.start.gain != 1)
      for (int64_t k = 0; k < p.size; ++k)
        out[k] *= static_cast<float>(p.start.gain);
  }
}

}  // namespace protean
