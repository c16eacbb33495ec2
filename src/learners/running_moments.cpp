#include "protean/learners/running_moments.h"

#include "protean/core/error.h"
#include "protean/models/params.h"

namespace protean {
namespace {

// What a layer's variance is multiplied by to be unbiased, (T or 1, 1): n of
// n - 1 where it is of n values of a channel. The frameworks' running variance
// is so, layer by layer.
at::Tensor unbiased(const Moments& m) {
  const auto n = m.images.to(at::kDouble) * static_cast<double>(m.places);
  return at::where(n > 1, n / (n - 1), at::ones_like(n))
      .to(m.variance.scalar_type());
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
                          const std::vector<Moments>& own, double momentum,
                          const at::Tensor& sums) {
  at::NoGradGuard no_grad;
  const auto old = shared_params(space, state);
  Params moved;
  for (const auto& m : own) {
    const auto& mean = old[moved.size()];
    const auto& variance = old[moved.size() + 1];
    moved.push_back(mean * (1 - momentum) + m.mean * momentum);
    moved.push_back(variance * (1 - momentum) +
                    m.variance * (momentum * unbiased(m)));
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
