#include "protean/tasks/environment_tasks.h"

#include <algorithm>
#include <utility>

#include "protean/core/error.h"
#include "protean/tasks/nway.h"

namespace protean {

EnvironmentTasks::EnvironmentTasks(EnvironmentPtr environment, uint32_t shots,
                                   uint32_t queries)
    : environment_(std::move(environment)), shots_(shots), queries_(queries) {
  if (shots == 0)
    throw ConfigError(
        "task.shots = 0; expected at least 1, rollouts to adapt by");
  if (queries == 0)
    throw ConfigError(
        "task.queries = 0; expected at least 1, rollouts to be judged by");
}

TaskSpec EnvironmentTasks::describe(uint64_t seed, TaskId id,
                                    const StreamState&) const {
  TaskSpec spec = describe_nway(id, {1, shots_, queries_});
  spec.latent = {seed};
  return spec;
}

TaskShape EnvironmentTasks::shape(const TaskSpec& spec) const {
  TaskShape shape;
  shape.support = spec.support.at(0);
  shape.query = spec.query.at(0);
  shape.input = {environment_->task_size()};
  shape.target = TargetKind::none;
  return shape;
}

void EnvironmentTasks::materialise(const TaskSpec& spec,
                                   EpisodeView out) const {
  const int64_t size = environment_->task_size();
  environment_->draw(Draws(spec.latent.at(0), spec.id, Purpose::family),
                     out.support.x);
  const float* const values = out.support.x;
  const auto repeat = [&](const PartView& part, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      if (part.x + i * size != values)
        std::copy_n(values, size, part.x + i * size);
    }
  };
  repeat(out.support, spec.support.at(0));
  repeat(out.query, spec.query.at(0));
}

}  // namespace protean
