#include "protean/tasks/set_tasks.h"

#include "protean/core/philox.h"

#include "tasks/by_weight.h"

namespace protean {

SetTasks::SetTasks(std::vector<std::shared_ptr<const TaskSource>> sets,
                   std::vector<float> weights)
    : sets_(std::move(sets)), weights_(std::move(weights)) {
  check_weights("data.weights", weights_, sets_.size());
  any_ = sets_[by_weight(weights_, 0)];
}

TaskSpec SetTasks::describe(uint64_t seed, TaskId id,
                            const StreamState& stream) const {
  const auto set =
      by_weight(weights_, Draws(seed, id, Purpose::data_set).uniform());
  return sets_[set]->describe(seed, id, stream);
}

TaskShape SetTasks::shape(const TaskSpec& spec) const {
  return any_->shape(spec);
}

void SetTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  any_->materialise(spec, out);
}

}  // namespace protean
