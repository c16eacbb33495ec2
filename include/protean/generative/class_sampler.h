// Images of one class from a few of its images.
#pragma once

#include <functional>

#include "protean/generative/generative_learner.h"

namespace protean {

// Throws ConfigError unless it is above 0.
void check_temperature(double temperature);

// Images 0, 1, ... of an endless row that depends on these alone.
class ClassSampler {
 public:
  // Adapts to support (K, C, H, W). The learner must outlive the sampler.
  // temperature: what the noise that sets images of a class apart is times;
  // above 1 they differ more than the model takes real ones to.
  ClassSampler(const GenerativeLearner& learner, const MetaView& meta,
               const at::Tensor& support, TaskId id, uint64_t seed,
               double temperature);

  // Calls use(i, images) with some of the first `count` at a time: those from
  // the i-th on, (n, C, H, W). Memory does not grow with the count.
  void draw(int64_t count,
            const std::function<void(int64_t, const at::Tensor&)>& use) const;

 private:
  const GenerativeLearner& learner_;
  std::vector<TaskId> id_;
  uint64_t seed_;
  double temperature_;
  Phi phi_;
  at::Tensor like_;
};

}  // namespace protean
