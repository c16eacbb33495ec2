// Tasks with one class more, of generated images: MetaGAN (Zhang et al. 2018,
// NeurIPS), here with a generator that is trained already.
//
//   classes 0 ... N - 1  the base's; their examples come first
//   class N              what the generator makes of the support images of
//                        every class, class after class
//
// A learner of such tasks has to tell drawings of a class from what merely
// looks like it, which is to sharpen the borders of the classes. Nothing has to
// be wrong with the fakes: they are not examples of the classes, where they did
// harm in a reproduction of the paper. Queries are real unless some are asked
// for. Evaluation tasks keep their N classes, for which a head's first N
// outputs are used.
#pragma once

#include <memory>

#include "protean/generative/generated_tasks.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

class GeneratedClass : public TaskSource {
 public:
  // base: tasks of classes that all have equally many support images, class
  // after class. options: task.generated_*; shots at least 1. Throws
  // ConfigError when the generator makes other images or needs more support.
  GeneratedClass(std::shared_ptr<const TaskSource> base,
                 GenerativeLearnerPtr generator,
                 std::shared_ptr<const GeneratorVersions> versions,
                 const TaskOptions& options);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

  // What a task of this shape becomes.
  static TaskShape with_class(TaskShape shape, const TaskOptions& options);

 private:
  std::shared_ptr<const TaskSource> base_;
  GenerativeLearnerPtr generator_;
  std::shared_ptr<const GeneratorVersions> versions_;
  TaskOptions options_;
};

}  // namespace protean
