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

Stretch stretch(const at::Tensor& w) {
  const auto m = w.flatten(2);  // (T, out, in)
  // The same start every time: no state, and all ranks agree.
  Draws draws(0, {}, Purpose::initialise, 1);
  auto start = at::empty({1, m.size(1), 1}, at::kDouble);
  for (int64_t i = 0; i < m.size(1); ++i)
    start.data_ptr<double>()[i] = draws.normal();
  Stretch s;
  s.left = unit(start.to(m.options())).expand({m.size(0), -1, -1});
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
