// The task sources that the options name.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "protean/data/dataset.h"
#include "protean/data/options.h"
#include "protean/data/splits.h"
#include "protean/tasks/environment.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

using TaskSourcePtr = std::shared_ptr<const TaskSource>;

struct TaskSources {
  // Null when the split holds no class, or none that tasks can be made of.
  TaskSourcePtr train, validation, test;
  // Why that is so, where it is not that there is no class; by stream.
  std::array<std::string, 3> why_not;
  // Of training tasks, whether there are classes for them or not.
  TaskShape train_shape;
  // Whether tasks differ in their sizes, whatever task.train_ways_max and
  // task.train_shots_max say.
  bool unequal = false;
  // What tasks are made from, and its split; null and empty for function
  // families.
  DatasetPtr examples;
  Splits splits;
  // What tasks are acted in; null where they are examples.
  EnvironmentPtr environment;
  // Identifies what tasks are made from: equal data, order, preparation and
  // split give equal hex. Part of a checkpoint.
  std::string checksum;
  // What a list of its tasks depends on: `checksum` without the split.
  std::string examples_checksum;
  // Both throw ConfigError when there is none, and say why.
  const TaskSourcePtr& ptr(Stream stream) const;
  const TaskSource& of(Stream stream) const { return *ptr(stream); }
};

// Opens the data and splits it. Training tasks have the shape that `task` gives
// them, the others that of `eval`. With data.rotations = task, train tasks are
// rotated, and with data.rotate_eval the others too; data.augment is for train
// tasks alone. Throws ConfigError naming the key, DataError naming the file;
// what is wrong with the tasks of one stream, who asks for them is told.
TaskSources open_tasks(const DataOptions& data, const TaskOptions& task,
                       const TaskCounts& eval);
// With evaluation tasks of task.ways, task.shots and task.queries.
inline TaskSources open_tasks(const DataOptions& data,
                              const TaskOptions& task) {
  return open_tasks(data, task, task.counts());
}

}  // namespace protean
