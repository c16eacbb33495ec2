// What data.source chooses from: one table per kind of source, each in its own
// file, joined in open_tasks.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protean/core/error.h"
#include "protean/core/settings.h"
#include "protean/tasks/open_tasks.h"

namespace protean {

struct SourceRow {
  Entry entry;
  // As open_tasks(), whose checks of ranges have passed.
  TaskSources (*open)(const DataOptions& data, const TaskOptions& task,
                      const TaskCounts& eval);
  // What stands for the examples of a stored run whose data are not opened;
  // null: absent_dataset().
  DatasetPtr (*absent)(const DataOptions& data) = nullptr;
};
using SourceRows = std::vector<SourceRow>;

SourceRows image_rows();        // open_images.cpp
SourceRows record_rows();       // open_records.cpp
SourceRows function_rows();     // open_functions.cpp
SourceRows labelled_rows();     // open_labelled.cpp
SourceRows environment_rows();  // open_environments.cpp

// What several kinds of files read.
inline std::vector<std::string> file_keys(
    const std::vector<std::string>& more) {
  std::vector<std::string> keys = {"data.path", "data.split",
                                   "data.train_classes", "data.train_groups"};
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

// Throws ConfigError where training tasks should differ in size, but are of a
// kind that does not.
void refuse_ranges(const DataOptions& data, const TaskOptions& task);

// Tasks of one stream, if they can be made; who needs others may go on.
template <typename Make>
void offer(TaskSources& sources, Stream stream, const Make& make) {
  if (sources.splits.of(stream).empty()) return;
  TaskSourcePtr* const all[] = {&sources.train, &sources.validation,
                                &sources.test};
  const auto i = static_cast<size_t>(stream);
  try {
    *all[i] = make();
  } catch (const ConfigError& e) {
    sources.why_not[i] = e.what();
  }
}

// Hash of examples and their split.
std::string checksum_of(const ClassDataset& data, const Splits& splits);

// What needs no files: make(counts) gives tasks of so many examples. identity:
// all that they depend on.
using MakeTasks = std::function<TaskSourcePtr(const TaskCounts&)>;
TaskSources computed_tasks(const DataOptions& data, const TaskOptions& task,
                           const TaskCounts& eval, const std::string& identity,
                           const MakeTasks& make);

}  // namespace protean
