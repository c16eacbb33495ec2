#include "protean/experiment/curriculum.h"

#include <algorithm>
#include <utility>

#include "protean/core/error.h"

namespace protean {

Curriculum::Curriculum(const Config& config)
    : every_(config.task.curriculum_steps),
      accuracy_(config.task.curriculum_accuracy),
      lag_(config.eval.every),
      levels_(config.task.levels()) {
  if (accuracy_ > 0 && lag_ <= config.data.prefetch)
    throw ConfigError(concat("eval.every = ", lag_,
                             ", by whose validations task.curriculum_accuracy "
                             "goes on; expected more steps than "
                             "data.prefetch = ",
                             config.data.prefetch));
}

uint32_t Curriculum::held_back(int64_t step) const {
  int64_t level = levels_;
  if (every_ > 0) level = step / every_;
  if (accuracy_ > 0) {
    const std::lock_guard lock(mutex_);
    level = std::upper_bound(raised_.begin(), raised_.end(), step) -
            raised_.begin();
  }
  return levels_ -
         static_cast<uint32_t>(std::min(level, static_cast<int64_t>(levels_)));
}

void Curriculum::validated(int64_t step, double accuracy) {
  if (accuracy_ == 0 || !(accuracy >= accuracy_)) return;
  const std::lock_guard lock(mutex_);
  if (raised_.size() < levels_) raised_.push_back(step + lag_);
}

std::vector<int64_t> Curriculum::raised() const {
  const std::lock_guard lock(mutex_);
  return raised_;
}

void Curriculum::restore(std::vector<int64_t> raised) {
  const std::lock_guard lock(mutex_);
  raised_ = std::move(raised);
}

}  // namespace protean
