// What T policies, one per task, go through in R rollouts each.
#pragma once

#include <cstdint>
#include <vector>

#include "protean/core/plan.h"

#include "rl/policy.h"

namespace protean {

// By task, time and rollout: n = H * R moments of each task, in order of time.
// Rollouts that ended early go on without effect: alive is 0 there.
struct Rollouts {
  at::Tensor observation;  // (T, H * R, o)
  at::Tensor action;       // (T, H * R, size or 1)
  ActionLaw law;           // that the actions were drawn from
  at::Tensor reward;       // (T, H, R), 0 where not alive
  at::Tensor alive;        // (T, H, R) of reward's type

  // Undiscounted return of each rollout, (T, R).
  at::Tensor returns() const { return reward.sum(1); }
};

// No gradient. task: (T, R, values), see EnvironmentTasks. All numbers drawn
// depend on (seed, task, slot) alone; slot < 2^19.
Rollouts collect(const Environment& environment, const Policy& policy,
                 const Params& params, const at::Tensor& task,
                 const std::vector<TaskId>& ids, uint64_t seed, uint32_t slot);

}  // namespace protean
