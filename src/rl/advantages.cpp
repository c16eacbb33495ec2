#include "rl/advantages.h"

#include <ATen/ATen.h>

namespace protean {
namespace {

constexpr double kRidge = 1e-5, kFarthest = 10, kTimeUnit = 100;

// x_t + factor * (the same of t + 1), from the last moment on.
at::Tensor backward_sums(const at::Tensor& x, double factor) {
  std::vector<at::Tensor> sums(static_cast<size_t>(x.size(1)));
  at::Tensor sum;
  for (int64_t t = x.size(1) - 1; t >= 0; --t) {
    sum = sum.defined() ? at::add(x.select(1, t), sum, factor) : x.select(1, t);
    sums[static_cast<size_t>(t)] = sum;
  }
  return at::stack(sums, 1);
}

}  // namespace

at::Tensor discounted_returns(const at::Tensor& reward, double gamma) {
  return backward_sums(reward, gamma);
}

at::Tensor linear_baseline(const Rollouts& r, const at::Tensor& returns) {
  const int64_t tasks = r.reward.size(0), horizon = r.reward.size(1),
                rollouts = r.reward.size(2);
  const auto o = r.observation.to(at::kDouble).clamp(-kFarthest, kFarthest);
  const auto time = (at::arange(horizon, o.options()) / kTimeUnit)
                        .repeat_interleave(rollouts)
                        .view({1, -1, 1})
                        .expand({tasks, -1, 1});
  const auto x = at::cat(
      {o, o.square(), time, time.square(), time.pow(3), at::ones_like(time)},
      -1);
  const auto alive = r.alive.to(at::kDouble).view({tasks, -1, 1});
  const auto seen = (x * alive).transpose(1, 2);
  const auto y = returns.to(at::kDouble).view({tasks, -1, 1});
  const auto moments =
      seen.matmul(x) + kRidge * at::eye(x.size(2), o.options());
  // Never singular, by the ridge: nothing to check, which would read a device.
  const auto w = std::get<0>(at::linalg_solve_ex(moments, seen.matmul(y)));
  return (x.matmul(w) * alive).view_as(returns);
}

at::Tensor generalised_advantage(const at::Tensor& reward,
                                 const at::Tensor& value, double gamma,
                                 double lambda) {
  const auto next = at::cat({value.narrow(1, 1, value.size(1) - 1),
                             at::zeros_like(value.narrow(1, 0, 1))},
                            1);
  return backward_sums(reward + gamma * next - value, gamma * lambda);
}

at::Tensor advantages(const Rollouts& r, double gamma, double lambda) {
  const at::NoGradGuard no_grad;
  const auto reward = r.reward.to(at::kDouble);
  const auto alive = r.alive.to(at::kDouble);
  const auto value = linear_baseline(r, discounted_returns(reward, gamma));
  const auto a = generalised_advantage(reward, value, gamma, lambda) * alive;
  const auto count = alive.sum({1, 2}, true);
  const auto centred = (a - a.sum({1, 2}, true) / count) * alive;
  const auto deviation = (centred.square().sum({1, 2}, true) / count).sqrt();
  return (centred / (deviation + 1e-8)).to(r.reward.scalar_type());
}

}  // namespace protean
