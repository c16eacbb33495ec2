#include "rl/rollouts.h"

#include <ATen/ATen.h>

#include "protean/tasks/noise.h"

namespace protean {
namespace {

// A number of each kind for every rollout and moment, (T, R, H, size).
at::Tensor draw(const at::Tensor& task, const std::vector<TaskId>& ids,
                int64_t horizon, int64_t size, uint64_t seed, uint32_t slot) {
  return task_noise(seed, ids, task.size(1), horizon * size, Purpose::noise,
                    slot, task)
      .view({task.size(0), task.size(1), horizon, size});
}

// (T, R, ...) of every moment -> (T, H, R, ...).
at::Tensor in_time(const std::vector<at::Tensor>& moments) {
  return at::stack(moments, 1);
}

}  // namespace

Rollouts collect(const Environment& environment, const Policy& policy,
                 const Params& params, const at::Tensor& task,
                 const std::vector<TaskId>& ids, uint64_t seed, uint32_t slot) {
  const at::NoGradGuard no_grad;
  const int64_t horizon = environment.horizon();
  const auto of_actions =
      draw(task, ids, horizon, policy.noise_size(), seed, 2 * slot);
  const auto of_steps =
      draw(task, ids, horizon, environment.noise_size(), seed, 2 * slot + 1);
  auto state = environment.reset(task);
  auto alive = at::ones({task.size(0), task.size(1)}, task.options());
  std::vector<at::Tensor> observations, actions, laws, rewards, alives;
  ActionLaw law;
  for (int64_t t = 0; t < horizon; ++t) {
    const auto observation = environment.observe(state);
    law = policy.at(params, observation);
    const auto action = law.sample(of_actions.select(2, t));
    const auto next =
        environment.step(task, state, action, of_steps.select(2, t));
    observations.push_back(observation);
    actions.push_back(action);
    laws.push_back(law.value);
    rewards.push_back(next.reward * alive);
    alives.push_back(alive);
    alive = alive * next.done.logical_not();
    state = next.state;
  }
  return {in_time(observations).flatten(1, 2),
          in_time(actions).flatten(1, 2),
          {in_time(laws).flatten(1, 2), law.log_deviation},
          in_time(rewards),
          in_time(alives)};
}

}  // namespace protean
