#include "generative/set_pool.h"

#include <ATen/ATen.h>

#include "protean/core/choice.h"

namespace protean {
namespace {

constexpr int64_t kQueries = 4;

}  // namespace

SetPool::SetPool(LayerSpace& space, const std::string& name,
                 const GeneratorOptions& o)
    : code_(o.code), blind_(!o.encoder), attends_(o.pooling == "attention") {
  check_choice("generator.pooling", o.pooling, {"moments", "attention"});
  if (blind_) return;
  if (attends_)
    score_.emplace_back(space, name + ".score", o.features, kQueries);
  // The last value is one over the number of images.
  const int64_t in = (attends_ ? kQueries : 2) * o.features + 1;
  layers_.emplace_back(space, name + ".dense", in, o.hidden);
  layers_.emplace_back(space, name + ".code", o.hidden, 2 * o.code);
}

Gaussian SetPool::operator()(const Params& p, const at::Tensor& features,
                             const at::Tensor& weight) const {
  if (blind_) {
    const auto zero =
        at::zeros({features.size(0), 1, code_}, features.options());
    return {zero, zero};
  }
  const auto pooled =
      attends_ ? attention(p, features, weight) : moments(features, weight);
  const auto one_over = weight.sum(1, true).reciprocal().unsqueeze(-1);
  const auto h = at::relu(layers_[0](p, at::cat({pooled, one_over}, -1)));
  return Gaussian::of(layers_[1](p, h));
}

at::Tensor SetPool::moments(const at::Tensor& features,
                            const at::Tensor& weight) const {
  const auto share = (weight / weight.sum(1, true)).unsqueeze(-1);
  const auto mean = (features * share).sum(1, true);
  const auto variance = ((features - mean).square() * share).sum(1, true);
  return at::cat({mean, variance}, -1);
}

at::Tensor SetPool::attention(const Params& p, const at::Tensor& features,
                              const at::Tensor& weight) const {
  const auto hidden = weight.unsqueeze(-1).eq(0);  // (S, K, 1)
  const auto share =
      at::softmax(score_[0](p, features).masked_fill(hidden, -1e9), 1);
  return at::bmm(share.transpose(1, 2), features).flatten(1).unsqueeze(1);
}

}  // namespace protean
