#include "generative/discriminator.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/models/ops/ops.h"

namespace protean {
namespace {

constexpr double kSlope = 0.1;
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

Discriminator::Discriminator(LayerSpace& space, const std::string& name,
                             const std::vector<int64_t>& shape,
                             const GeneratorOptions& o)
    : task_code_(o.task_code) {
  int64_t channels = shape[0], height = shape[1], width = shape[2];
  for (int i = 1; i <= 3; ++i) {
    const int64_t out = i == 1 ? o.filters : 2 * o.filters;
    const std::string layer = concat(name, ".conv", i);
    convolutions_.push_back({space.weight(layer, {out, channels, 3, 3}, 1),
                             space.bias(layer, out)});
    channels = out;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
  dense_ = {
      space.weight(name + ".dense", {o.features, channels * height * width}, 1),
      space.bias(name + ".dense", o.features)};
  score_ = {space.weight(name + ".score", {1, o.features}, 1),
            space.bias(name + ".score", 1)};
  if (task_code_)
    projection_ = space.weight(name + ".projection", {o.features, o.code}, 1);
}

at::Tensor Discriminator::operator()(const Params& p, const at::Tensor& x,
                                     const at::Tensor& code) const {
  auto h = ops::to_stack(x);
  for (const auto& c : convolutions_)
    h = at::leaky_relu(ops::conv(h, spectral_norm(p[c.weight]), 2) +
                           p[c.bias].unsqueeze(0).unsqueeze(-1).unsqueeze(-1),
                       kSlope);
  const auto f = at::leaky_relu(
      ops::linear(ops::from_stack(h), spectral_norm(p[dense_.weight]),
                  p[dense_.bias]),
      kSlope);
  auto score = ops::linear(f, spectral_norm(p[score_.weight]), p[score_.bias])
                   .squeeze(2);
  if (task_code_)
    score = score +
            (f * ops::linear(code, spectral_norm(p[projection_]), {})).sum(2);
  return score;
}

}  // namespace protean
