#include "models/resnet.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/initialise.h"

namespace protean {

ResNet::ResNet(const ModelOptions& o, const std::vector<int64_t>& input,
               int64_t outputs)
    : options_(o), context_(o.context) {
  const InitRules rules(o);
  if (o.filters < 1)
    throw ConfigError(
        concat("model.filters = ", o.filters, "; expected at least 1"));
  if (input.size() != 3 || std::min(input[1], input[2]) < 16)
    throw ConfigError(
        concat("model.name = \"", o.name,
               "\" takes images (channels, height, width) of at least 16x16 "
               "pixels; expected other data or model.name = \"mlp\""));
  int64_t channels = input[0];
  if (o.name == "resnet12") {
    for (int block = 1; block <= 4; ++block)
      add_block(concat("block", block), channels, o.filters << (block - 1), 3,
                1, ops::Pool::max2);
  } else {
    const bool large = std::min(input[1], input[2]) >= 64;
    stem_ = add_conv("stem", channels, o.filters, large ? 7 : 3, large ? 2 : 1);
    if (large) stem_pool_ = ops::Pool::max2;
    channels = o.filters;
    for (int stage = 1; stage <= 4; ++stage)
      for (int block = 1; block <= 2; ++block)
        add_block(concat("stage", stage, ".block", block), channels,
                  o.filters << (stage - 1), 2, stage > 1 && block == 1 ? 2 : 1,
                  ops::Pool::none);
  }
  features_ = channels;
  head_ = add_weight_and_bias(space_, "head", {outputs, features_}, rules.head);
}

ResNet::Conv ResNet::add_conv(const std::string& name, int64_t in, int64_t out,
                              int64_t kernel, int64_t stride) {
  const size_t weight =
      add_weight(space_, name + ".conv", {out, in, kernel, kernel},
                 InitRules(options_).body);
  NormLayer norm(space_, name + ".norm", out, options_, moments_.size());
  if (uses_batch_moments(norm_kind(options_))) moments_.push_back(out);
  return {weight, stride, norm};
}

void ResNet::add_block(const std::string& name, int64_t& channels, int64_t out,
                       int convs, int64_t stride, ops::Pool pool) {
  Block b{{}, {}, {}, pool};
  const bool changes = channels != out || stride != 1;
  // In the order of use: moments are recorded as they come.
  for (int i = 1; i <= convs; ++i)
    b.convs.push_back(add_conv(concat(name, ".", i), i == 1 ? channels : out,
                               out, 3, i == 1 ? stride : 1));
  if (changes)
    b.shortcut = add_conv(name + ".shortcut", channels, out, 1, stride);
  if (context_ > 0) b.film = FilmLayer(space_, name + ".film", context_, out);
  blocks_.push_back(std::move(b));
  channels = out;
}

at::Tensor ResNet::body(const Params& p, const NetInput& in, Norm& norm) const {
  auto h = ops::to_stack(in.x);
  const auto convolved = [&](const Conv& c, const at::Tensor& x) {
    return ops::conv(x, p[c.weight], c.stride);
  };
  if (stem_)
    h = stem_->norm(p, convolved(*stem_, h), stem_pool_, norm, in.weight);
  for (const auto& b : blocks_) {
    auto y = h;
    for (size_t i = 0; i + 1 < b.convs.size(); ++i)
      y = b.convs[i].norm(p, convolved(b.convs[i], y), ops::Pool::none, norm,
                          in.weight);
    const auto& last = b.convs.back();
    y = last.norm.linear(p, convolved(last, y), norm, in.weight,
                         b.film ? (*b.film)(p, in.context) : Film());
    if (b.shortcut)
      h = b.shortcut->norm.linear(p, convolved(*b.shortcut, h), norm,
                                  in.weight);
    h = relu_pool(y + h, b.pool);
  }
  return ops::from_stack(h.mean({3, 4}, /*keepdim=*/true));
}

at::Tensor ResNet::head(const Params& p, const at::Tensor& features) const {
  return ops::linear(features, p[head_], p[head_ + 1]);
}

}  // namespace protean
