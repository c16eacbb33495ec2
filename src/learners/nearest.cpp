#include "learners/nearest.h"

#include <limits>

#include <ATen/ATen.h>

namespace protean {
namespace {

// Rows of length 1. A row of zeros (a body that ends in ReLU) stays one.
at::Tensor normalised(const at::Tensor& x) {
  return x * (x.square().sum(-1, true) + 1e-12).rsqrt();
}

}  // namespace

at::Tensor best_of_class(const at::Tensor& scores,
                         const at::Tensor& membership) {
  const auto others = membership.eq(0).unsqueeze(1);  // (T, 1, m, N)
  return scores.unsqueeze(-1)
      .masked_fill(others, -std::numeric_limits<double>::infinity())
      .amax(2);
}

at::Tensor best_value(const at::Tensor& scores, const at::Tensor& values) {
  const auto best = at::one_hot(scores.argmax(-1), scores.size(-1));
  return at::bmm(best.to(values.scalar_type()), values);
}

at::Tensor cosines(const at::Tensor& x, const at::Tensor& y) {
  return at::bmm(normalised(x), normalised(y).transpose(1, 2));
}

at::Tensor negative_squared_distance(const at::Tensor& x, const at::Tensor& y) {
  // 2 x.y - |x|^2 - |y|^2; one matrix product instead of n * m differences.
  return at::baddbmm(x.square().sum(-1, true) + y.square().sum(-1).unsqueeze(1),
                     x, y.transpose(1, 2), /*beta=*/-1, /*alpha=*/2);
}

at::Tensor membership(const Part& support, int64_t ways, at::ScalarType type) {
  auto member = at::one_hot(support.y, ways).to(type);
  return support.weight.defined() ? member * support.weight.unsqueeze(-1)
                                  : member;
}

}  // namespace protean
