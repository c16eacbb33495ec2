// Tasks of images, distorted (data.augment = affine): each class is mirrored,
// turned, sheared and scaled as a whole, as if it came from another script, and
// then each of its images a little on its own (data/affine.h). Labels stay.
//
// A spec is that of the task as it was, with one latent more, the seed of all
// this.
#pragma once

#include <memory>

#include "protean/tasks/task_source.h"

namespace protean {

class DistortedTasks : public TaskSource {
 public:
  // base lists its examples by class, first the support, then the query, in the
  // counts of its specs. Throws ConfigError when they are no square images.
  explicit DistortedTasks(std::shared_ptr<const TaskSource> base);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  std::shared_ptr<const TaskSource> base_;
};

}  // namespace protean
