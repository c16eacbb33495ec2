#include "models/conv4.h"

#include <algorithm>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/models/initialise.h"

namespace protean {
namespace {

constexpr int kFilmBlock = 3;

}  // namespace

Conv4::Conv4(const ModelOptions& o, const std::vector<int64_t>& input,
             int64_t outputs)
    : filters_(o.filters), context_(o.context), max_pool_(o.pool == "max") {
  const InitRules rules(o);
  check_choice("model.pool", o.pool, {"max", "stride"});
  if (filters_ < 1)
    throw ConfigError(
        concat("model.filters = ", filters_, "; expected at least 1"));
  if (o.pool_blocks < 1 || o.pool_blocks > 4)
    throw ConfigError(
        concat("model.pool_blocks = ", o.pool_blocks, "; expected 1 to 4"));
  if (input.size() != 3)
    throw ConfigError(concat(
        "model.name = \"conv4\" takes images (channels, height, width), but "
        "the data has examples of ",
        input.size(), " dimensions; expected model.name = \"mlp\""));
  int64_t channels = input[0], height = input[1], width = input[2];
  for (int block = 1; block <= 4; ++block) {
    const std::string name = concat("block", block, ".");
    const size_t weight = add_weight(space_, name + "conv",
                                     {filters_, channels, 3, 3}, rules.body);
    const bool halves = block <= o.pool_blocks;
    blocks_.push_back(
        {weight, NormLayer(space_, name + "norm", filters_, o, blocks_.size()),
         halves});
    if (uses_batch_moments(norm_kind(o))) moments_.push_back(filters_);
    if (block == kFilmBlock && context_ > 0)
      film_ = FilmLayer(space_, name + "film", context_, filters_);
    channels = filters_;
    if (!halves) continue;
    height = max_pool_ ? height / 2 : (height + 1) / 2;
    width = max_pool_ ? width / 2 : (width + 1) / 2;
  }
  if (height < 1 || width < 1)
    throw ConfigError(concat("model.name = \"conv4\" halves images ",
                             o.pool_blocks, " times; expected at least ",
                             1 << o.pool_blocks, "x", 1 << o.pool_blocks,
                             " pixels, got ", input[1], "x", input[2]));
  features_ = {filters_, height, width};
  if (!max_pool_) features_ = {filters_, 1, 1};
  const int64_t values = filters_ * features_[1] * features_[2];
  head_ = add_weight_and_bias(space_, "head", {outputs, values}, rules.head);
}

at::Tensor Conv4::body(const Params& p, const NetInput& in, Norm& norm) const {
  auto h = ops::to_stack(in.x);
  for (const auto& b : blocks_) {
    const auto pool = b.halves && max_pool_ ? ops::Pool::max2 : ops::Pool::none;
    h = ops::conv(h, p[b.weight], b.halves && !max_pool_ ? 2 : 1);
    const bool modulated = film_ && &b == &blocks_[kFilmBlock - 1];
    h = b.norm(p, h, pool, norm, in.weight,
               modulated ? (*film_)(p, in.context) : Film());
  }
  if (!max_pool_) h = h.mean({3, 4}, /*keepdim=*/true);
  return ops::from_stack(h);
}

at::Tensor Conv4::head(const Params& p, const at::Tensor& features) const {
  return ops::linear(features, p[head_], p[head_ + 1]);
}

}  // namespace protean
