// The tasks of one step, for use outside of training.
#pragma once

#include <string>
#include <vector>

#include "protean/experiment/experiment.h"
#include "protean/tasks/task_batch.h"

namespace protean {

// "train", "validation" or "test". Throws ConfigError naming `what`.
Stream stream_named(const std::string& name, const std::string& what);

// All stacks of a step, cut as training cuts them: the batches that its ranks
// compute on, together, whatever their number. Of a stream other than training
// the tasks are the config's eval.tasks, and step 0 has those that `protean
// eval` sees. Thread-safe. Throws ConfigError when the stream's split has no
// class.
std::vector<TaskBatch> step_batches(const Experiment& experiment, Stream stream,
                                    int64_t step);

}  // namespace protean
