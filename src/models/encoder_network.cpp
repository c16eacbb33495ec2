#include "models/encoder_network.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/initialise.h"
#include "protean/models/ops/ops.h"

namespace protean {
namespace {

constexpr int kConvolutions = 3;

}  // namespace

EncoderNetwork::EncoderNetwork(const ModelOptions& o,
                               const std::vector<int64_t>& input,
                               int64_t outputs)
    : width_(o.width), leak_(o.leak) {
  const InitRules rules(o);
  if (input.size() != 3)
    throw ConfigError(
        concat("model.name = \"encoder\" takes images (channels, height, "
               "width), but the data has examples of ",
               input.size(), " dimensions"));
  for (const auto& [key, value] : {std::pair("model.filters", o.filters),
                                   std::pair("model.width", o.width)})
    if (value < 1)
      throw ConfigError(concat(key, " = ", value, "; expected at least 1"));
  if (!(o.leak >= 0 && o.leak < 1))
    throw ConfigError(
        concat("model.leak = ", o.leak, "; expected a value in [0, 1)"));
  int64_t channels = input[0], height = input[1], width = input[2];
  for (int i = 1; i <= kConvolutions; ++i) {
    const int64_t out = i == 1 ? o.filters : 2 * o.filters;
    add_weight_and_bias(space_, concat("conv", i), {out, channels, 3, 3},
                        rules.body);
    channels = out;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
  add_weight_and_bias(space_, "dense", {width_, channels * height * width},
                      rules.body);
  add_weight_and_bias(space_, "head", {outputs, width_}, rules.head);
}

at::Tensor EncoderNetwork::body(const Params& p, const NetInput& in,
                                Norm&) const {
  const auto active = [this](const at::Tensor& x) {
    return leak_ > 0 ? at::leaky_relu(x, leak_) : at::relu(x);
  };
  auto h = ops::to_stack(in.x);
  for (size_t i = 0; i < 2 * kConvolutions; i += 2)
    h = active(ops::conv(h, p[i], 2) +
               p[i + 1].unsqueeze(0).unsqueeze(-1).unsqueeze(-1));
  constexpr size_t dense = 2 * kConvolutions;
  return active(ops::linear(ops::from_stack(h), p[dense], p[dense + 1]));
}

at::Tensor EncoderNetwork::head(const Params& p,
                                const at::Tensor& features) const {
  return ops::linear(features, p[head_begin()], p[head_begin() + 1]);
}

}  // namespace protean
