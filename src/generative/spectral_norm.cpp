#include "protean/generative/spectral_norm.h"

#include <vector>

#include <ATen/ATen.h>

#include "protean/core/philox.h"

namespace protean {
namespace {

constexpr int kIterations = 5;

at::Tensor unit(const at::Tensor& v) {
  return v / v.norm(2, {1}, true).clamp_min(1e-12);
}

}  // namespace

at::Tensor first_left(int64_t out) {
  // No state, and all ranks agree.
  Draws draws(0, {}, Purpose::initialise, 1);
  auto start = at::empty({out}, at::kDouble);
  for (int64_t i = 0; i < out; ++i)
    start.data_ptr<double>()[i] = draws.normal();
  return (start / start.norm()).to(at::kFloat).to(at::kDouble);
}

Stretch stretch(const at::Tensor& w, const at::Tensor& left) {
  const auto m = w.flatten(2);  // (T, out, in)
  Stretch s;
  s.left =
      unit(left.to(m.options()).view({1, -1, 1})).expand({m.size(0), -1, -1});
  for (int i = 0; i < kIterations; ++i) {
    s.right = unit(at::bmm(m.transpose(1, 2), s.left));
    s.left = unit(at::bmm(m, s.right));
  }
  return s;
}

at::Tensor spectral_norm(const at::Tensor& w, const Stretch& between) {
  const auto value = (at::matmul(w.flatten(2), between.right) * between.left)
                         .sum(1);  // (T, 1)
  std::vector<int64_t> shape(static_cast<size_t>(w.dim()), 1);
  shape[0] = w.size(0);
  return w / value.reshape(shape);
}

}  // namespace protean
