// How much better than expected each action of some rollouts was.
#pragma once

#include "rl/rollouts.h"

namespace protean {

// Sums of rewards from each moment on, discounted by gamma per step; reward:
// (T, H, R).
at::Tensor discounted_returns(const at::Tensor& reward, double gamma);

// A baseline per task: least squares of those sums, with a small ridge, on the
// observation, its squares, three powers of time and a constant (Duan et al.
// 2016, arXiv:1604.06778). -> (T, H, R), 0 where a rollout is over.
at::Tensor linear_baseline(const Rollouts& rollouts, const at::Tensor& returns);

// Generalised advantage estimate, Schulman et al. 2016, arXiv:1506.02438:
//   sum over l of (gamma lambda)^l delta_{t+l},
//   delta_t = r_t + gamma V_{t+1} - V_t
// value: (T, H, R), 0 where a rollout is over.
at::Tensor generalised_advantage(const at::Tensor& reward,
                                 const at::Tensor& value, double gamma,
                                 double lambda);

// All of it, of mean 0 and deviation 1 per task; 0 where a rollout is over. Of
// the rollouts' type, (T, H, R).
at::Tensor advantages(const Rollouts& rollouts, double gamma, double lambda);

}  // namespace protean
