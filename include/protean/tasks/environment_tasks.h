// Tasks of an environment: K = task.shots rollouts to adapt by, in each inner
// step anew, and Q = task.queries others to be judged by. What is materialised
// is the task's own values, once per rollout; there are no targets.
//
// The classes of a spec are empty; its one latent is the seed of those values.
#pragma once

#include "protean/tasks/environment.h"
#include "protean/tasks/task_source.h"

namespace protean {

class EnvironmentTasks : public TaskSource {
 public:
  // Throws ConfigError naming the key when a count is 0.
  EnvironmentTasks(EnvironmentPtr environment, uint32_t shots,
                   uint32_t queries);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  EnvironmentPtr environment_;
  uint32_t shots_, queries_;
};

}  // namespace protean
