// How far training tasks stay below the largest ones, by step: with
// task.curriculum_steps a function of the step, with task.curriculum_accuracy
// of the validations so far. One that is good enough counts from the next
// validation on, so that no task that was prepared ahead is another one.
//
// Thread-safe: the trainer tells of validations, the thread that prepares tasks
// asks.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "protean/experiment/config.h"

namespace protean {

class Curriculum {
 public:
  // Throws ConfigError naming the key.
  explicit Curriculum(const Config& config);

  // See StreamState. Of steps up to the next validation.
  uint32_t held_back(int64_t step) const;
  // A validation after `step` steps; the same on every rank.
  void validated(int64_t step, double accuracy);
  // From which step each level above the first is allowed; a checkpoint keeps
  // them.
  std::vector<int64_t> raised() const;
  void restore(std::vector<int64_t> raised);

 private:
  const int64_t every_;  // steps of a level; 0 = not by step
  const double accuracy_;
  const int64_t lag_;
  const uint32_t levels_;
  mutable std::mutex mutex_;
  std::vector<int64_t> raised_;
};

}  // namespace protean
