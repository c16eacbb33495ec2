#include "models/conv4.h"

#include <algorithm>

#include "protean/core/error.h"

namespace protean {

Conv4::Conv4(const ModelOptions& o, const std::vector<int64_t>& input,
             int64_t outputs)
    : filters_(o.filters),
      max_pool_(o.pool == "max"),
      norm_scale_(o.norm_scale),
      eps_(o.norm_eps),
      init_(init_from_name("model.init", o.init)),
      head_init_(o.head_init.empty()
                     ? init_
                     : init_from_name("model.head_init", o.head_init)) {
  if (o.pool != "max" && o.pool != "stride")
    throw ConfigError(
        concat("model.pool = \"", o.pool, "\"; expected one of: max, stride"));
  if (filters_ < 1)
    throw ConfigError(
        concat("model.filters = ", filters_, "; expected at least 1"));
  if (eps_ <= 0)
    throw ConfigError(
        concat("model.norm_eps = ", eps_, "; expected a value above 0"));
  if (input.size() != 3)
    throw ConfigError(concat(
        "model.name = \"conv4\" takes images (channels, height, width), but "
        "the data has examples of ",
        input.size(), " dimensions; expected model.name = \"mlp\""));
  int64_t channels = input[0], height = input[1], width = input[2];
  for (int block = 1; block <= 4; ++block) {
    const std::string name = concat("block", block, ".");
    Block b{};
    b.weight = space_.add(name + "conv.weight", {filters_, channels, 3, 3});
    if (norm_scale_) b.scale = space_.add(name + "norm.scale", {filters_});
    b.shift = space_.add(name + "norm.shift", {filters_});
    blocks_.push_back(b);
    channels = filters_;
    height = max_pool_ ? height / 2 : (height + 1) / 2;
    width = max_pool_ ? width / 2 : (width + 1) / 2;
  }
  if (height < 1 || width < 1)
    throw ConfigError(
        concat("model.name = \"conv4\" halves images four times; "
               "expected at least 16x16 pixels, got ",
               input[1], "x", input[2]));
  const int64_t features = max_pool_ ? filters_ * height * width : filters_;
  head_ = space_.add("head.weight", {outputs, features});
  space_.add("head.bias", {outputs});
}

at::Tensor Conv4::body(const Params& p, const NetInput& in, Norm& norm) const {
  const bool batch = norm.mode == Norm::Mode::batch;
  const auto pool = max_pool_ ? ops::Pool::max2 : ops::Pool::none;
  auto h = ops::to_stack(in.x);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const auto& b = blocks_[i];
    const at::Tensor scale = norm_scale_ ? p[b.scale] : at::Tensor();
    h = ops::conv3x3(h, p[b.weight], max_pool_ ? 1 : 2);
    if (batch) {
      auto out = ops::norm_relu_pool(h, scale, p[b.shift], eps_, pool);
      h = out.y;
      if (norm.record) norm.moments.push_back({out.mean, out.variance});
    } else {
      const auto& m = norm.moments.at(i);
      h = ops::norm_relu_pool_given(h, m.mean, m.variance, scale, p[b.shift],
                                    eps_, pool);
    }
  }
  if (!max_pool_) h = h.mean({3, 4}, /*keepdim=*/true);
  return ops::from_stack(h);
}

at::Tensor Conv4::head(const Params& p, const at::Tensor& features) const {
  return ops::linear(features, p[head_], p[head_ + 1]);
}

void Conv4::initialise(float* theta, uint64_t seed) const {
  const auto& all = space_.parameters();
  for (uint32_t i = 0; i < all.size(); ++i) {
    const auto& p = all[i];
    float* out = theta + p.offset;
    if (p.name.ends_with("conv.weight"))
      fill_weight(out, p.size, init_, p.shape[1] * 9, p.shape[0] * 9, seed, i);
    else if (p.name.ends_with("norm.scale"))
      std::fill(out, out + p.size, 1.0f);
    else if (p.name.ends_with("norm.shift"))
      std::fill(out, out + p.size, 0.0f);
    else if (p.name == "head.weight")
      fill_weight(out, p.size, head_init_, p.shape[1], p.shape[0], seed, i);
    else
      fill_bias(out, p.size, head_init_, all[head_].shape[1], seed, i);
  }
}

}  // namespace protean
