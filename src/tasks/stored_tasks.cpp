#include "protean/tasks/stored_tasks.h"

#include <algorithm>

#include "protean/core/error.h"

namespace protean {
namespace {

void copy(const StoredExamples& from, uint32_t count, PartView to) {
  std::copy(from.x.begin(), from.x.end(), to.x);
  if (to.label) std::copy(from.label.begin(), from.label.end(), to.label);
  if (to.value) std::copy(from.value.begin(), from.value.end(), to.value);
}

}  // namespace

TaskSpec StoredTasks::describe(uint64_t, TaskId id, const StreamState&) const {
  if (id.index >= tasks_.size())
    throw Error(
        concat("stored task ", id.index, "; expected below ", tasks_.size()));
  TaskSpec spec;
  spec.id = id;
  return spec;
}

TaskShape StoredTasks::shape(const TaskSpec& spec) const {
  return tasks_.at(spec.id.index).shape;
}

void StoredTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  const auto& task = tasks_.at(spec.id.index);
  copy(task.support, task.shape.support, out.support);
  copy(task.query, task.shape.query, out.query);
}

}  // namespace protean
