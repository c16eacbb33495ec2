// A small state with every kind of content a checkpoint can have, and values
// that tell a lost bit: NaN with a payload, infinities, -0, denormals.
#pragma once

#include <bit>
#include <cstring>
#include <limits>

#include "protean/run/checkpoint.h"

namespace protean {

inline CheckpointState sample_state(int64_t step, size_t width = 7) {
  CheckpointState s;
  s.step = step;
  s.theta_space.add("body.conv.weight", {static_cast<int64_t>(width), 3});
  s.theta_space.add("body.scale", {});
  s.theta_space.add("body.empty", {0, 4});
  s.theta_space.add("head.weight", {5});
  s.state_space.add("norm.mean", {2});
  const auto fill = [&](int64_t size, float seed) {
    std::vector<float> v(static_cast<size_t>(size));
    for (size_t i = 0; i < v.size(); ++i)
      v[i] = seed + 0.1f * float(i) + float(step);
    return v;
  };
  s.theta = fill(s.theta_space.size(), 1);
  s.theta[0] = std::bit_cast<float>(0x7FC12345u);
  s.theta[1] = -0.0f;
  s.theta[2] = std::numeric_limits<float>::denorm_min();
  s.theta[3] = -std::numeric_limits<float>::infinity();
  s.state = fill(s.state_space.size(), 2);
  s.optimiser_names = {"m", "v"};
  s.optimiser_buffers = {fill(s.theta_space.size(), 3),
                         fill(s.theta_space.size(), 4)};
  s.optimiser_updates = step * 3;
  s.extra = {{"seed", 18446744073709551615ull},
             {"best", 0.1 + 0.2},
             {"config", "[run]\nsteps = 10\n"}};
  return s;
}

inline bool same_bits(const std::vector<float>& a,
                      const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() ||
          std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

inline bool same_state(const CheckpointState& a, const CheckpointState& b) {
  bool same = a.step == b.step && a.best_steps == b.best_steps &&
              layout_difference(a.theta_space, b.theta_space).empty() &&
              layout_difference(a.state_space, b.state_space).empty() &&
              same_bits(a.theta, b.theta) && same_bits(a.state, b.state) &&
              a.optimiser_names == b.optimiser_names &&
              a.optimiser_buffers.size() == b.optimiser_buffers.size() &&
              a.optimiser_updates == b.optimiser_updates && a.extra == b.extra;
  for (size_t i = 0; same && i < a.optimiser_buffers.size(); ++i)
    same = same_bits(a.optimiser_buffers[i], b.optimiser_buffers[i]);
  return same;
}

}  // namespace protean
