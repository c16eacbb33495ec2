// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011).
//
// There is no generator state anywhere: a number depends on (seed, task,
// purpose, slot, draw) alone, so every rank, thread and restart sees the same.
// Integers and doubles are made here and not by std:: distributions, whose
// results differ between standard libraries.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "protean/core/plan.h"

namespace protean {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

// Ten rounds; matches the Random123 known answers.
PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key);

// What a number is drawn for. Values are part of the stream: never renumber.
enum class Purpose : uint32_t {
  source = 0,
  superclass = 1,
  way = 2,
  classes = 3,
  beta = 4,
  alpha = 5,
  examples = 6,  // slot = class within the task
  augment = 7,   // slot = image within the task
  labels = 8,
  transform = 9,    // slot = class within the task
  family = 10,      // parameters of a function family
  points = 11,      // inputs of a function family
  initialise = 12,  // slot = parameter index
  split = 13,
  minibatch = 14,  // slot = inner step
  noise = 15,
  latent = 16,
  counts = 17,       // ways and shots of a task
  interpolate = 18,  // whether a task is mixed with another, and how far
  data_set = 19,     // which one a task is of
  test = 31,
};

// A sequence of numbers for one purpose of one task. Cheap to make; use from
// one thread. Two Draws with equal arguments give equal numbers.
class Draws {
 public:
  // slot < 2^20.
  Draws(uint64_t seed, TaskId task, Purpose purpose, uint32_t slot = 0);

  uint32_t next();
  // Uniform in [0, n), n >= 1, without modulo bias.
  uint64_t below(uint64_t n);
  // Uniform in [0, 1) with 53 bits.
  double uniform();
  double uniform(double low, double high) {
    return low + (high - low) * uniform();
  }
  // Standard normal (Box-Muller, both values used).
  double normal();
  // k distinct values of [0, n) in random order: sparse Fisher-Yates, O(k)
  // memory and time for any n. Requires k <= n.
  std::vector<uint32_t> sample(uint64_t n, uint64_t k);

 private:
  PhiloxCounter counter_;
  PhiloxKey key_;
  PhiloxCounter block_{};
  int used_ = 4;
  bool has_normal_ = false;
  double normal_ = 0;
};

}  // namespace protean
