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

at::Tensor spectral_norm(const at::Tensor& w) {
  const auto m = w.flatten(2);  // (T, out, in)
  // The same start every time: no state, and all ranks agree.
  Draws draws(0, {}, Purpose::initialise, 1);
  auto start = at::empty({1, m.size(1), 1}, at::kDouble);
  for (int64_t i = 0; i < m.size(1); ++i)
    start.data_ptr<double>()[i] = draws.normal();
  auto u = unit(start.to(m.options())).expand({m.size(0), -1, -1});
  at::Tensor v;
  for (int i = 0; i < kIterations; ++i) {
    v = unit(at::bmm(m.transpose(1, 2), u));
    u = unit(at::bmm(m, v));
  }
  const auto sigma = at::bmm(u.transpose(1, 2), at::bmm(m, v));
  std::vector<int64_t> shape(static_cast<size_t>(w.dim()), 1);
  shape[0] = w.size(0);
  return w / sigma.reshape(shape);
}

}  // namespace protean
