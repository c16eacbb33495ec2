// Images of one class from a few of its images.
#pragma once

#include "protean/generative/generative_learner.h"

namespace protean {

// Throws ConfigError unless it is above 0.
void check_temperature(double temperature);

class ClassImages {
 public:
  // Adapts to support (K, C, H, W). temperature: what the noise that sets
  // images of a class apart is times, above 0; more than 1 makes them differ
  // more than real ones do, as far as the model knows. Throws ConfigError on
  // another.
  ClassImages(const GenerativeLearner& learner, const MetaView& meta,
              const at::Tensor& support, TaskId id, uint64_t seed,
              double temperature);

  // Images i kChunk, i kChunk + 1, ... of an endless row that depends on the
  // constructor's arguments alone: n of them, at most kChunk, (n, C, H, W).
  static constexpr int64_t kChunk = 100;
  at::Tensor chunk(int64_t i, int64_t n) const;

 private:
  const GenerativeLearner& learner_;
  std::vector<TaskId> id_;
  uint64_t seed_;
  double temperature_;
  Phi phi_;
  at::Tensor like_;
};

}  // namespace protean
