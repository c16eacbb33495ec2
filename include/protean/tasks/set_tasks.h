// Tasks of several data sets, each of one alone: the set is drawn by weight,
// then the task from it, so that small sets are seen as often as large ones
// (Meta-Dataset, Triantafillou et al. 2020, arXiv:1903.03096, draws sets
// evenly).
#pragma once

#include <memory>
#include <vector>

#include "protean/tasks/task_source.h"

namespace protean {

class SetTasks : public TaskSource {
 public:
  // sets: sources over one joined data set that differ in the classes they draw
  // alone, so that each makes the tasks of all; null where the weight is 0.
  // Throws ConfigError naming data.weights on weights other than one per set,
  // at least 0, not all 0.
  SetTasks(std::vector<std::shared_ptr<const TaskSource>> sets,
           std::vector<float> weights);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  std::vector<std::shared_ptr<const TaskSource>> sets_;
  std::vector<float> weights_;
  std::shared_ptr<const TaskSource> any_;
};

}  // namespace protean
