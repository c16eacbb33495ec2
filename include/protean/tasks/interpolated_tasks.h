// Training tasks between two tasks: MLTI (Yao et al. 2021, arXiv:2106.02695)
// for tasks that share no labels, at the input.
//
//   x_i = (1 - f) x_i(a) + f x_i(b),  label of i as in a and in b
//
// Class k of the new task is a mix of class k of task a with class k of task b,
// both drawn by one source; classes stand in random order, so that any two may
// meet. One factor f is drawn per task, uniformly or by Beta(2, 2), and holds
// for support and query. Below 0 and above 1 it extrapolates.
//
// Values are not clamped to those that images have: of images that are 0 or 1
// everywhere that would leave no more than a itself (f < 0) or b (f > 1).
//
// Task a is the one that the source has at this place, b one that no run comes
// to otherwise. A spec that is mixed names both, and the factor's bits in
// latent; one that is not is the source's own.
#pragma once

#include <memory>

#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

class InterpolatedTasks : public TaskSource {
 public:
  // base: tasks of classes, one label per example, all of one shape. Throws
  // ConfigError naming the key where it has others, or on impossible options;
  // describe() throws Error where two tasks differ in shape, materialise()
  // where their labels do.
  InterpolatedTasks(std::shared_ptr<const TaskSource> base,
                    const InterpolationOptions& options);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  std::shared_ptr<const TaskSource> base_;
  InterpolationOptions options_;
};

}  // namespace protean
