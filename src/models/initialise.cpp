#include "protean/models/initialise.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

void fill_uniform(float* out, int64_t size, double bound, Draws draws) {
  for (int64_t i = 0; i < size; ++i)
    out[i] = static_cast<float>(draws.uniform(-bound, bound));
}

}  // namespace

Init init_from_name(const std::string& key, const std::string& name) {
  if (name == "xavier") return Init::xavier;
  if (name == "torch") return Init::torch;
  if (name == "truncated") return Init::truncated;
  if (name == "normal") return Init::normal;
  throw ConfigError(concat(key, " = \"", name,
                           "\"; expected one of: xavier, torch, truncated, "
                           "normal"));
}

void fill_weight(float* out, int64_t size, Init rule, int64_t fan_in,
                 int64_t fan_out, uint64_t seed, uint32_t index) {
  Draws draws(seed, {}, Purpose::initialise, index);
  switch (rule) {
    case Init::xavier:
      return fill_uniform(out, size, std::sqrt(6.0 / (fan_in + fan_out)),
                          draws);
    case Init::torch:
      return fill_uniform(out, size, 1 / std::sqrt(double(fan_in)), draws);
    case Init::truncated:
      for (int64_t i = 0; i < size; ++i) {
        double z;
        do z = draws.normal();
        while (std::abs(z) > 2);
        out[i] = static_cast<float>(0.01 * z);
      }
      return;
    case Init::normal:
      for (int64_t i = 0; i < size; ++i)
        out[i] = static_cast<float>(draws.normal());
      return;
  }
}

void fill_bias(float* out, int64_t size, Init rule, int64_t fan_in,
               uint64_t seed, uint32_t index) {
  if (rule == Init::torch)
    fill_uniform(out, size, 1 / std::sqrt(double(fan_in)),
                 Draws(seed, {}, Purpose::initialise, index));
  else
    std::fill(out, out + size, 0.0f);
}

void initialise_network(const ParameterSpace& space, size_t head, Init init,
                        Init head_init, float* theta, uint64_t seed) {
  const auto& all = space.parameters();
  for (uint32_t i = 0; i < all.size(); ++i) {
    const auto& p = all[i];
    float* const out = theta + p.offset;
    if (p.name.ends_with("conv.weight")) {
      const int64_t area = p.shape[2] * p.shape[3];
      fill_weight(out, p.size, init, p.shape[1] * area, p.shape[0] * area, seed,
                  i);
    } else if (i == head) {
      fill_weight(out, p.size, head_init, p.shape[1], p.shape[0], seed, i);
    } else if (i == head + 1) {
      fill_bias(out, p.size, head_init, all[head].shape[1], seed, i);
    } else if (p.name.ends_with("film.weight")) {
      fill_weight(out, p.size, Init::torch, p.shape[1], p.shape[0], seed, i);
    } else {
      const bool scale = p.name.ends_with("norm.scale");
      std::fill(out, out + p.size, scale ? 1.0f : 0.0f);
    }
  }
}

}  // namespace protean
