// Small environments, policies and tasks, for tests of learners that act.
#pragma once

#include <memory>

#include <ATen/ATen.h>

#include "protean/tasks/environment_tasks.h"
#include "protean/tasks/task_batch.h"

#include "rl/policy_gradient.h"
#include "support/toy_tasks.h"

namespace protean {

inline EnvironmentPtr small_world(const std::string& source) {
  DataOptions o;
  o.source = source;
  o.horizon = 6;
  o.arms = 3;
  return make_environment(o);
}

inline Policy small_policy(const Environment& world) {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "7,5";
  m.init = "torch";
  return Policy(
      make_network(m, {world.observation_size()}, world.actions().size),
      world.actions(), 0.8);
}

// Of 4 rollouts to adapt by and 5 to be judged by.
inline TaskBatch worlds(const EnvironmentPtr& world, uint32_t tasks) {
  const EnvironmentTasks source(world, 4, 5);
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < tasks; ++i)
    specs.push_back(source.describe(3, {Stream::train, 2, i}, {}));
  return to(stack_tasks(source, specs), at::kCPU, at::kDouble);
}

template <typename T>
std::shared_ptr<T> acting(const EnvironmentPtr& world, int inner_steps,
                          PolicyOptions policy = {}, double inner_lr = 0.1) {
  LearnerOptions o;
  o.inner_steps = inner_steps;
  o.inner_lr = inner_lr;
  o.seed = 5;
  return std::make_shared<T>(world, small_policy(*world), o, policy);
}

}  // namespace protean
