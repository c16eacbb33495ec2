#include "rl/policy.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <ATen/ATen.h>

#include "protean/models/initialise.h"

namespace protean {
namespace {

// Keeps a deviation from becoming nothing.
constexpr double kLeastLogDeviation = -13.8;  // 1e-6

}  // namespace

at::Tensor ActionLaw::sample(const at::Tensor& noise) const {
  if (log_deviation.defined()) return value + log_deviation.exp() * noise;
  // The choice at which the summed probabilities pass a uniform number.
  const auto below = value.exp().cumsum(-1) <= at::special_ndtr(noise);
  return below.sum(-1, /*keepdim=*/true)
      .clamp_max(value.size(-1) - 1)
      .to(value.scalar_type());
}

at::Tensor ActionLaw::log_likelihood(const at::Tensor& action) const {
  if (!log_deviation.defined())
    return value.gather(-1, action.to(at::kLong)).squeeze(-1);
  const auto z = (action - value) * (-log_deviation).exp();
  return -(0.5 * z.square() + log_deviation).sum(-1) -
         0.5 * std::log(2 * std::numbers::pi) *
             static_cast<double>(value.size(-1));
}

at::Tensor divergence(const ActionLaw& p, const ActionLaw& q) {
  if (!p.log_deviation.defined())
    return (p.value.exp() * (p.value - q.value)).sum(-1);
  const auto precision = (-2 * q.log_deviation).exp();
  return (q.log_deviation - p.log_deviation +
          0.5 * precision *
              ((2 * p.log_deviation).exp() + (p.value - q.value).square()) -
          0.5)
      .sum(-1);
}

Policy::Policy(NetworkPtr net, const ActionSpace& actions, double deviation)
    : net_(std::move(net)),
      actions_(actions),
      deviation_(deviation),
      space_(net_->params()) {
  if (!actions.discrete) space_.add("log_deviation", {actions.size});
}

void Policy::initialise(float* theta, uint64_t seed) const {
  fill_initial(net_->params(), theta, seed);
  std::fill(theta + net_->params().size(), theta + space_.size(),
            static_cast<float>(std::log(deviation_)));
}

ActionLaw Policy::at(const Params& p, const at::Tensor& observation) const {
  Norm norm;
  const auto out = net_->forward(p, {observation, {}, {}}, norm);
  if (actions_.discrete) return {out.log_softmax(-1), {}};
  return {out, p.back().clamp_min(kLeastLogDeviation).unsqueeze(1)};
}

}  // namespace protean
