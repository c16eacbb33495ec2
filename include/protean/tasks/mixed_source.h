// Several task sources as one: each task comes from one of them, drawn by
// weight. Task i of a step is drawn alone, so real and generated tasks meet in
// any proportion at every step.
#pragma once

#include <memory>
#include <vector>

#include "protean/tasks/task_source.h"

namespace protean {

class MixedSource : public TaskSource {
 public:
  // weights: one per source, at least 0, not all 0; StreamState::mix replaces
  // them where it is not empty. The place of a source in the list is
  // TaskSpec::source. Throws ConfigError on other weights.
  MixedSource(std::vector<std::shared_ptr<const TaskSource>> sources,
              std::vector<float> weights);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  std::vector<std::shared_ptr<const TaskSource>> sources_;
  std::vector<float> weights_;
};

}  // namespace protean
