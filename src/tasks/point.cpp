#include "tasks/point.h"

#include <ATen/ATen.h>

#include "protean/core/choice.h"

namespace protean {
namespace {

constexpr double kSpeed = 0.1, kFar = 0.5, kNear = 0.01;
constexpr double kAcceleration = 0.2, kFastest = 1;

}  // namespace

Point::Point(const DataOptions& o)
    : to_goal_(o.family == "goal"), horizon_(o.horizon) {
  check_choice("data.family", o.family, {"goal", "velocity"});
}

void Point::draw(Draws draws, float* task) const {
  const double most = to_goal_ ? kFar : kFastest;
  for (int i = 0; i < 2; ++i)
    task[i] = static_cast<float>(draws.uniform(-most, most));
}

at::Tensor Point::reset(const at::Tensor& task) const {
  return at::zeros_like(task);
}

Environment::Outcome Point::step(const at::Tensor& task,
                                 const at::Tensor& state,
                                 const at::Tensor& action,
                                 const at::Tensor&) const {
  auto next =
      at::add(state, action.clamp(-1, 1), to_goal_ ? kSpeed : kAcceleration);
  if (!to_goal_) next.clamp_(-kFastest, kFastest);
  const auto squared = (next - task).square_().sum(-1);
  return {
      next, -squared,
      to_goal_ ? squared < kNear * kNear : at::zeros_like(squared, at::kBool)};
}

}  // namespace protean
