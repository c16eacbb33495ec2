// What the training stream depends on beyond (seed, step, index), at each step:
// a function of the configuration and the step alone, so every rank knows it at
// any time, also after a stop.
#pragma once

#include <cstdint>

#include "protean/core/plan.h"
#include "protean/experiment/config.h"

namespace protean {

class StreamSchedule {
 public:
  StreamSchedule() = default;  // one state for all steps
  // Throws ConfigError naming the key.
  explicit StreamSchedule(const Config& config);

  StreamState at(int64_t step) const;
  // The generator's version that is made when `step` steps are done, once: 0 is
  // the one that the run starts with. Its tasks begin generator.refresh steps
  // later, when all that were prepared before are consumed.
  bool publishes_at(int64_t step) const;
  uint32_t made_by(int64_t step) const;
  uint32_t active_at(int64_t step) const;
  int64_t active_from(uint32_t version) const;

 private:
  int64_t refresh_ = 0;
  std::vector<float> mix_, mix_to_;  // by source; mix_to_ empty: constant
  int64_t mix_steps_ = 0;
};

}  // namespace protean
