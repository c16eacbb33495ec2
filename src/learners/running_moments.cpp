#include "protean/learners/running_moments.h"

#include "protean/core/error.h"
#include "protean/models/params.h"

namespace protean {
namespace {

// Running variance is unbiased, as in the reference implementation's framework.
// What the moments' variance is multiplied by, () or (T, 1).
at::Tensor unbiased(const Part& examples) {
  const auto& x = examples.x;
  auto n = examples.weight.defined()
               ? examples.weight.to(at::kDouble).sum(1, true)
               : at::full({}, x.size(1), at::kDouble);
  for (int64_t d = 3; d < x.dim(); ++d) n = n * x.size(d);
  return at::where(n > 1, n / (n - 1), at::ones_like(n)).to(x.scalar_type());
}

}  // namespace

void add_running_moments(ParameterSpace& space,
                         const std::vector<int64_t>& channels) {
  int layer = 1;
  for (int64_t c : channels) {
    space.add(concat("norm", layer, ".mean"), {c});
    space.add(concat("norm", layer, ".variance"), {c});
    ++layer;
  }
}

void start_running_moments(const ParameterSpace& space,
                           const at::Tensor& state) {
  auto all = shared_params(space, state);
  for (size_t i = 0; i < all.size(); ++i) all[i].fill_(i % 2 ? 1 : 0);
}

Norm running_norm(const ParameterSpace& space, const at::Tensor& state) {
  Norm norm;
  norm.mode = Norm::Mode::given;
  const auto all = shared_params(space, state);
  for (size_t i = 0; i < all.size(); i += 2)
    norm.moments.push_back({all[i], all[i + 1], {}});
  return norm;
}

void move_running_moments(const ParameterSpace& space, const at::Tensor& state,
                          const std::vector<Moments>& own, const Part& examples,
                          double momentum, const at::Tensor& sums) {
  at::NoGradGuard no_grad;
  const auto scale = momentum * unbiased(examples);
  const auto old = shared_params(space, state);
  Params moved;
  for (const auto& m : own) {
    const auto& mean = old[moved.size()];
    const auto& variance = old[moved.size() + 1];
    moved.push_back(mean * (1 - momentum) + m.mean * momentum);
    moved.push_back(variance * (1 - momentum) + m.variance * scale);
  }
  add_to_flat(space, moved, sums);
}

double checked_norm_momentum(double momentum) {
  if (!(momentum > 0 && momentum <= 1))
    throw ConfigError(concat("learner.norm_momentum = ", momentum,
                             "; expected a value in (0, 1]"));
  return momentum;
}

}  // namespace protean
