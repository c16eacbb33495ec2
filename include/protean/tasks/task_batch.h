// A stack of T tasks of one shape as tensors.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/plan.h"
#include "protean/tasks/task_source.h"

namespace protean {

struct Part {
  at::Tensor x;       // (T, n, ...) float
  at::Tensor y;       // (T, n) int64 labels, (T, n, target_size) of them where
                      // an example has several, or (T, n, target_size) float
  at::Tensor weight;  // (T, n) float, 0 = padding; undefined when unpadded
};

struct TaskBatch {
  TaskShape shape;
  std::vector<TaskId> ids;  // T
  Part support, query;
  int64_t tasks() const { return static_cast<int64_t>(ids.size()); }
};

// Materialises every spec into one batch. All specs must have one shape.
TaskBatch stack_tasks(const TaskSource& source,
                      const std::vector<TaskSpec>& specs);

// Floating tensors become dtype, everything moves to device.
TaskBatch to(const TaskBatch& batch, at::Device device, at::ScalarType dtype);

}  // namespace protean
