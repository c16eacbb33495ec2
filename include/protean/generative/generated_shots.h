// Tasks with more support examples than there are: a generator draws others of
// each class from its real ones (Antoniou et al. 2017, arXiv:1711.04340).
//
// Query examples stay real. Each class's generated images follow its real ones
// and may weigh less than they do.
#pragma once

#include <memory>

#include "protean/generative/generated_tasks.h"
#include "protean/tasks/task_source.h"

namespace protean {

class GeneratedShots : public TaskSource {
 public:
  // extra: generated support images per class, at least 1. base: tasks whose
  // classes all have equally many support images, class after class. weight:
  // of a generated image, in (0, 1]. Throws ConfigError when the real ones are
  // fewer than the generator needs.
  GeneratedShots(std::shared_ptr<const TaskSource> base,
                 GenerativeLearnerPtr generator,
                 std::shared_ptr<const GeneratorVersions> versions,
                 uint32_t extra, double weight = 1);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

  // The base's task, as a list of tasks holds it, and back.
  static TaskSpec without(const TaskSpec& spec);
  static TaskSpec with(const TaskSpec& base, uint64_t seed);

 private:
  std::shared_ptr<const TaskSource> base_;
  GenerativeLearnerPtr generator_;
  std::shared_ptr<const GeneratorVersions> versions_;
  uint32_t extra_;
  float weight_;
};

}  // namespace protean
