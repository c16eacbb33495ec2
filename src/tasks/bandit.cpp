#include "tasks/bandit.h"

#include <ATen/ATen.h>

#include "protean/core/choice.h"
#include "protean/core/error.h"

namespace protean {

Bandit::Bandit(const DataOptions& o)
    : bernoulli_(o.rewards == "bernoulli"), arms_(o.arms), horizon_(o.horizon) {
  check_choice("data.rewards", o.rewards, {"bernoulli", "gaussian"});
  if (arms_ < 2)
    throw ConfigError(concat("data.arms = ", arms_, "; expected at least 2"));
}

void Bandit::draw(Draws draws, float* task) const {
  for (int64_t i = 0; i < arms_; ++i)
    task[i] = static_cast<float>(bernoulli_ ? draws.uniform() : draws.normal());
}

at::Tensor Bandit::reset(const at::Tensor& task) const {
  return at::ones({task.size(0), task.size(1), 1}, task.options());
}

Environment::Outcome Bandit::step(const at::Tensor& task,
                                  const at::Tensor& state,
                                  const at::Tensor& action,
                                  const at::Tensor& noise) const {
  const auto arm = task.gather(-1, action.to(at::kLong)).squeeze(-1);
  const auto z = noise.squeeze(-1);
  // A normal number's place in its distribution is uniform.
  const auto reward =
      bernoulli_ ? (at::special_ndtr(z) < arm).to(task.scalar_type()) : arm + z;
  return {state, reward, at::zeros_like(reward, at::kBool)};
}

}  // namespace protean
