// A stack of T tasks of one shape as tensors.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/plan.h"
#include "protean/tasks/task_source.h"

namespace protean {

struct Part {
  at::Tensor x;  // (T, n, ...) float
  at::Tensor y;  // (T, n) int64 labels, (T, n, target_size) of them where
                 // an example has several, or (T, n, target_size) float
  // (T, n) float, 0 = padding; undefined where all weigh 1.
  at::Tensor weight;
  // Classes of the task with the most of them; 0 = not known.
  int64_t ways = 0;
  // (T, 1, ways) bool, true where a task has fewer; undefined where all have
  // as many.
  at::Tensor absent = {};
};

struct TaskBatch {
  TaskShape shape;
  std::vector<TaskId> ids;  // T
  Part support, query;
  int64_t tasks() const { return static_cast<int64_t>(ids.size()); }
};

// Materialises every spec into one batch. Tasks that are alike are padded to
// the least shape that holds them: with examples of zeros, label 0 and weight 0
// behind their own. Throws Error where two are not. Support examples have
// weights where they are padded or a shape is weighted, queries where padded.
TaskBatch stack_tasks(const TaskSource& source,
                      const std::vector<TaskSpec>& specs);

// Floating tensors become dtype, everything moves to device; nothing is waited
// for (upload.h).
TaskBatch to(const TaskBatch& batch, at::Device device, at::ScalarType dtype);

}  // namespace protean
