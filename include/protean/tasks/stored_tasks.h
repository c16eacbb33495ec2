// Tasks whose examples lie in memory, one shape each: what a user brings, or
// what a protocol fixes.
//
// Task i has TaskId::index i; seed, stream and step do not matter.
#pragma once

#include <vector>

#include "protean/tasks/task_source.h"

namespace protean {

struct StoredExamples {
  std::vector<float> x;        // n * input size
  std::vector<int64_t> label;  // n, for classes
  std::vector<float> value;    // n * target_size, for values
};

struct StoredTask {
  TaskShape shape;
  StoredExamples support, query;
};

class StoredTasks : public TaskSource {
 public:
  explicit StoredTasks(std::vector<StoredTask> tasks)
      : tasks_(std::move(tasks)) {}

  uint32_t count() const { return static_cast<uint32_t>(tasks_.size()); }
  // Throws Error when there is no such task.
  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  std::vector<StoredTask> tasks_;
};

}  // namespace protean
