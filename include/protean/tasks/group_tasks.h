// Tasks from examples that carry their own targets (tables, text): one group of
// a LabelledDataset, a device or an author, is one task.
//
//   values, or several labels per example: K = task.shots support and Q =
//       task.queries query examples of the group, all distinct
//   one label per example: N-way K-shot among the labels of the group, the
//       order of labels drawn anew in each task
//
// Every group is equally likely. A spec names the group once per label, and in
// `transforms` the label of each way.
#pragma once

#include <string>
#include <vector>

#include "protean/data/labelled.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

class GroupTasks : public TaskSource {
 public:
  // Draws from `groups`; those too small are left out with one warning. Throws
  // ConfigError naming the key when none remains. `what` names the split.
  GroupTasks(LabelledPtr data, const std::vector<uint32_t>& groups,
             const TaskCounts& counts, const std::string& what,
             const CountKeys& keys = {});

  // The shape of its tasks, whatever groups there are.
  static TaskShape shape_of(const LabelledDataset& data,
                            const TaskCounts& counts,
                            const CountKeys& keys = {});

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec&) const override { return shape_; }
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  // Examples of a group by label, for one label per example.
  struct Group {
    uint32_t id = 0;
    std::vector<std::pair<uint32_t, std::vector<uint32_t>>> labels;
  };

  LabelledPtr data_;
  TaskCounts counts_;
  TaskShape shape_;
  bool by_label_;
  std::vector<Group> groups_;
};

}  // namespace protean
