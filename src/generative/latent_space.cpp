#include "protean/generative/latent_space.h"

#include <ATen/ATen.h>

namespace protean {

at::Tensor slerp(const at::Tensor& a, const at::Tensor& b,
                 const at::Tensor& share) {
  const auto size_a = a.norm(2, {-1}, true).clamp_min(1e-12);
  const auto size_b = b.norm(2, {-1}, true).clamp_min(1e-12);
  const auto cosine =
      ((a / size_a) * (b / size_b)).sum(-1, true).clamp(-0.9999, 0.9999);
  const auto angle = at::acos(cosine);
  // Directions turn, lengths change in proportion.
  const auto direction = (((1 - share) * angle).sin() * (a / size_a) +
                          (share * angle).sin() * (b / size_b)) /
                         angle.sin();
  return direction * ((1 - share) * size_a + share * size_b);
}

at::Tensor slerp(const at::Tensor& a, const at::Tensor& b, double share) {
  return slerp(a, b, at::full({1}, share, a.options()));
}

double least_squared_distance(const at::Tensor& x) {
  return (x.unsqueeze(0) - x.unsqueeze(1))
      .square()
      .sum(-1)
      .fill_diagonal_(1e30)
      .min()
      .item<double>();
}

}  // namespace protean
