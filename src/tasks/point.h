// A point in the plane.
//
//   goal      Finn et al. 2017, arXiv:1703.03400, section 5.3: it starts at the
//             origin and an action is its velocity, at most 0.1 along either
//             axis; tasks differ in the goal, uniform in [-0.5, 0.5]^2. Reward:
//             minus the squared distance to it after the step. Ends within 0.01
//             of it.
//   velocity  it has inertia: an action changes its velocity by 0.2 at most
//             along either axis, and the velocity stays in [-1, 1]^2; tasks
//             differ in the velocity that is asked for, uniform in the same
//             square. Reward: minus the squared distance to it after the step.
//
// Observed is the position, or the velocity; the goal never.
#pragma once

#include "protean/tasks/environment.h"

namespace protean {

class Point : public Environment {
 public:
  // Throws ConfigError naming the key.
  explicit Point(const DataOptions& options);

  ActionSpace actions() const override { return {2, false}; }
  int64_t observation_size() const override { return 2; }
  int64_t task_size() const override { return 2; }
  void draw(Draws draws, float* task) const override;
  int64_t horizon() const override { return horizon_; }
  at::Tensor reset(const at::Tensor& task) const override;
  Outcome step(const at::Tensor& task, const at::Tensor& state,
               const at::Tensor& action,
               const at::Tensor& noise) const override;

 private:
  bool to_goal_;
  int64_t horizon_;
};

}  // namespace protean
