// Tasks of a configuration as a file for other programs.
#pragma once

#include <cstdint>
#include <string>

#include "protean/experiment/experiment.h"

namespace protean {

struct TaskFileOptions {
  Stream stream = Stream::train;
  int64_t first_step = 0;
  int64_t count = 1;  // tasks
};

// Bytes of an .npz file with the tasks from first_step on, as training draws
// them, in the order of steps and of the meta-batch:
//
//   support_x (N, k, ...) float32, support_y (N, k) int64 or (N, k, d) float32,
//   query_x, query_y likewise; step (N), index (N) int64
//   support_weight, query_weight (N, k) float32, where tasks differ in size: 0
//   where an example is padding
//
// Equal configurations give equal bytes. Throws ConfigError when the stream's
// split has no class, or has fewer tasks; see step_batches.h.
std::string task_file(const Experiment& experiment,
                      const TaskFileOptions& options);

}  // namespace protean
