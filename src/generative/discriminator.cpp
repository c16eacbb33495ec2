#include "generative/discriminator.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean {
namespace {

constexpr double kSlope = 0.1;

}  // namespace

Discriminator::Discriminator(LayerSpace& space, const std::string& name,
                             const std::vector<int64_t>& shape, int64_t code,
                             const GeneratorOptions& o)
    : task_code_(o.task_code) {
  const auto dense = [&](const char* layer, int64_t in, int64_t out) {
    dense_.push_back({space.weight(name + layer, {out, in}, 1),
                      space.bias(name + layer, out)});
  };
  int64_t channels = shape[0], height = shape[1], width = shape[2];
  if (o.network == "mlp") {
    dense(".dense1", channels * height * width, 4 * o.hidden);
    channels = 4 * o.hidden, height = width = 1;
  }
  for (int i = 1; i <= 3 && o.network != "mlp"; ++i) {
    const int64_t out = i == 1 ? o.filters : 2 * o.filters;
    const std::string layer = concat(name, ".conv", i);
    convolutions_.push_back({space.weight(layer, {out, channels, 3, 3}, 1),
                             space.bias(layer, out)});
    channels = out;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
  dense(".dense", channels * height * width, o.features);
  score_ = {space.weight(name + ".score", {1, o.features}, 1),
            space.bias(name + ".score", 1)};
  if (task_code_)
    projection_ = space.weight(name + ".projection", {o.features, code}, 1);
  if (!o.spectral_norm) return;
  for (const auto& layers : {convolutions_, dense_})
    for (const auto& layer : layers) normed_.push_back(layer.weight);
  normed_.push_back(score_.weight);
  if (task_code_) normed_.push_back(projection_);
  for (const size_t weight : normed_)
    rows_.push_back(space.space().parameters().at(weight).shape.at(0));
}

Discriminator::Stretches Discriminator::stretches(const Params& p) const {
  Stretches out;
  for (const size_t weight : normed_) out.push_back(stretch(p[weight]));
  return out;
}

Discriminator::Stretches Discriminator::stretches(
    const Params& p, const at::Tensor& kept) const {
  Stretches out;
  int64_t at = 0;
  for (size_t i = 0; i < normed_.size(); at += rows_[i++])
    out.push_back(stretch(p[normed_[i]], kept.narrow(0, at, rows_[i])));
  return out;
}

void Discriminator::add_to(ParameterSpace& state) const {
  int64_t rows = 0;
  for (int64_t n : rows_) rows += n;
  if (rows > 0) state.add("stretch", {rows});
}

void Discriminator::start(const at::Tensor& kept) const {
  int64_t at = 0;
  for (int64_t n : rows_) {
    kept.narrow(0, at, n).copy_(first_left(n));
    at += n;
  }
}

void Discriminator::keep(const Stretches& found, int64_t tasks,
                         const at::Tensor& sums) const {
  int64_t at = 0;
  for (size_t i = 0; i < found.size(); at += rows_[i++])
    sums.narrow(0, at, rows_[i])
        .add_(found[i].left.detach()[0].flatten() * static_cast<double>(tasks));
}

Params Discriminator::normalised(const Params& p,
                                 const Stretches& between) const {
  Params out = p;
  for (size_t i = 0; i < normed_.size(); ++i)
    out[normed_[i]] = spectral_norm(p[normed_[i]], between.at(i));
  return out;
}

at::Tensor Discriminator::features(const Params& p, const at::Tensor& x) const {
  auto h = ops::to_stack(x);
  for (const auto& c : convolutions_)
    h = at::leaky_relu(ops::conv(h, p[c.weight], 2) +
                           p[c.bias].unsqueeze(0).unsqueeze(-1).unsqueeze(-1),
                       kSlope);
  h = ops::from_stack(h);
  for (const auto& d : dense_)
    h = at::leaky_relu(ops::linear(h, p[d.weight], p[d.bias]), kSlope);
  return h;
}

at::Tensor Discriminator::operator()(const Params& p, const at::Tensor& x,
                                     const at::Tensor& code) const {
  const auto f = features(p, x);
  auto score = ops::linear(f, p[score_.weight], p[score_.bias]).squeeze(2);
  if (task_code_)
    score = score + (f * ops::linear(code, p[projection_], {})).sum(2);
  return score;
}

}  // namespace protean
