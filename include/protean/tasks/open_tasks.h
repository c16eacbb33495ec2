// The task sources that the options name.
#pragma once

#include <memory>
#include <string>

#include "protean/data/options.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

using TaskSourcePtr = std::shared_ptr<const TaskSource>;

struct TaskSources {
  TaskSourcePtr train;
  // Null when the split holds no class.
  TaskSourcePtr validation, test;
  // Identifies what tasks are made from: equal data, order, preparation and
  // split give equal hex. Part of a checkpoint.
  std::string checksum;
  // Throws ConfigError when the stream's split holds no class.
  const TaskSource& of(Stream stream) const;
};

// Opens the data and splits it. Training tasks have the shape that `task` gives
// them, the others that of `eval`. With data.rotations = task, train tasks are
// rotated, and with data.rotate_eval the others too; data.augment is for train
// tasks alone. Throws ConfigError naming the key, DataError naming the file.
TaskSources open_tasks(const DataOptions& data, const TaskOptions& task,
                       const TaskCounts& eval);
// With evaluation tasks of task.ways, task.shots and task.queries.
inline TaskSources open_tasks(const DataOptions& data,
                              const TaskOptions& task) {
  return open_tasks(data, task, task.counts());
}

}  // namespace protean
