#include "models/char_transformer.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/initialise.h"
#include "protean/models/ops/ops.h"

namespace protean {
namespace {

constexpr double kNormEps = 1e-5;

// Over the last dimension; scale and shift (T or 1, width).
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale,
                      const at::Tensor& shift) {
  const auto centred = x - x.mean(-1, /*keepdim=*/true);
  const auto variance = centred.square().mean(-1, /*keepdim=*/true);
  return centred * (variance + kNormEps).rsqrt() * scale.unsqueeze(1) +
         shift.unsqueeze(1);
}

}  // namespace

size_t CharTransformer::add_norm(const std::string& name) {
  const size_t first =
      space_.add(name + ".norm.scale", {width_}, {Start::Rule::one}, kNorm);
  space_.add(name + ".norm.shift", {width_}, {}, kNorm);
  return first;
}

CharTransformer::CharTransformer(const ModelOptions& o,
                                 const std::vector<int64_t>& input,
                                 int64_t outputs)
    : length_(input.empty() ? 0 : input[0]),
      vocabulary_(outputs),
      width_(o.width),
      heads_(o.heads),
      context_(o.context) {
  const InitRules rules(o);
  if (input.size() != 1)
    throw ConfigError(concat(
        "model.name = \"transformer\" takes rows of characters, but the data "
        "has examples of ",
        input.size(), " dimensions; expected data.source = text"));
  if (o.layers < 1)
    throw ConfigError(
        concat("model.layers = ", o.layers, "; expected at least 1"));
  if (heads_ < 1 || width_ < 1 || width_ % heads_ != 0)
    throw ConfigError(concat("model.width = ", width_,
                             ", model.heads = ", heads_,
                             "; expected a width that the heads, 1 or "
                             "more, divide"));
  const auto body = [&](const std::string& name, std::vector<int64_t> shape) {
    return add_weight(space_, name, std::move(shape), rules.body);
  };
  const auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    return add_weight_and_bias(space_, name, {out, in}, rules.body);
  };
  embedding_ = body("embedding", {vocabulary_, width_});
  position_ = body("position", {length_, width_});
  if (context_ > 0) from_context_ = body("context", {width_, context_});
  for (int64_t layer = 1; layer <= o.layers; ++layer) {
    const std::string name = concat("layer", layer, ".");
    Block b{};
    b.norm1 = add_norm(name + "attention");
    b.qkv = linear(name + "attention.qkv", 3 * width_, width_);
    b.out = linear(name + "attention.out", width_, width_);
    b.norm2 = add_norm(name + "mlp");
    b.up = linear(name + "mlp.up", 4 * width_, width_);
    b.down = linear(name + "mlp.down", width_, 4 * width_);
    blocks_.push_back(b);
  }
  last_norm_ = add_norm("last");
  add_weight_and_bias(space_, "head", {vocabulary_, width_}, rules.head);
}

at::Tensor CharTransformer::attention(const Params& p, const Block& b,
                                      const at::Tensor& h,
                                      int64_t length) const {
  const int64_t tasks = h.size(0), rows = h.size(1) / length;
  const int64_t each = width_ / heads_;
  // (3, T * rows * heads, L, each)
  const auto qkv = ops::linear(h, p[b.qkv], p[b.qkv + 1])
                       .view({tasks * rows, length, 3, heads_, each})
                       .permute({2, 0, 3, 1, 4})
                       .reshape({3, tasks * rows * heads_, length, each});
  const auto scores = at::bmm(qkv[0], qkv[1].transpose(1, 2)) /
                      std::sqrt(static_cast<double>(each));
  const auto later =
      at::ones({length, length}, h.options().dtype(at::kBool)).triu(1);
  const auto weights = scores.masked_fill(later, -1e9).softmax(-1);
  const auto mixed = at::bmm(weights, qkv[2])
                         .view({tasks * rows, heads_, length, each})
                         .transpose(1, 2)
                         .reshape({tasks, rows * length, width_});
  return ops::linear(mixed, p[b.out], p[b.out + 1]);
}

at::Tensor CharTransformer::body(const Params& p, const NetInput& in,
                                 Norm&) const {
  const int64_t tasks = in.x.size(0), rows = in.x.size(1),
                length = in.x.size(2);
  if (length > length_)
    throw Error(concat("transformer: rows of ", length,
                       " characters; expected at most ", length_));
  // A product with one-hot rows: the embedding may differ from task to task.
  const auto one_hot = at::one_hot(in.x.to(at::kLong), vocabulary_)
                           .view({tasks, rows * length, vocabulary_})
                           .to(p[embedding_].scalar_type());
  auto h = ops::linear(one_hot, p[embedding_].transpose(1, 2), {});
  h = h + p[position_].narrow(1, 0, length).repeat({1, rows, 1});
  if (context_ > 0)
    h = h + ops::linear(in.context.unsqueeze(1), p[from_context_], {});
  for (const auto& b : blocks_) {
    h = h + attention(p, b, layer_norm(h, p[b.norm1], p[b.norm1 + 1]), length);
    const auto up = ops::linear(layer_norm(h, p[b.norm2], p[b.norm2 + 1]),
                                p[b.up], p[b.up + 1]);
    h = h + ops::linear(at::gelu(up), p[b.down], p[b.down + 1]);
  }
  return layer_norm(h, p[last_norm_], p[last_norm_ + 1]);
}

at::Tensor CharTransformer::head(const Params& p,
                                 const at::Tensor& features) const {
  return ops::linear(features, p[head_begin()], p[head_begin() + 1]);
}

}  // namespace protean
