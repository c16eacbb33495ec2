// What a stack's trials were, for as long as a meta-step lasts: several outer
// steps ask for the same ones. Collecting them again would give the same bits,
// so this saves time and changes nothing else. Any thread may use it.
#pragma once

#include <functional>
#include <mutex>

#include "rl/policy_gradient.h"

namespace protean {

class TrialMemory {
 public:
  // Those of this stack at theta; `collect` makes them when they are not known.
  std::vector<Trial> recall(const TaskBatch& batch, const at::Tensor& theta,
                            const std::function<std::vector<Trial>()>& collect);

 private:
  struct Entry {
    std::vector<TaskId> ids;
    // All that trials depend on beside these.
    at::Tensor theta, support, query;
    std::vector<Trial> trials;
    bool is_of(const TaskBatch& batch, const at::Tensor& at_theta) const;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;  // of one meta-step
};

}  // namespace protean
