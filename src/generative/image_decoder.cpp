#include "generative/image_decoder.h"

#include <ATen/ATen.h>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean {
namespace {

constexpr int kHidden = 4;      // layers of the MLP
constexpr double kSlope = 0.2;  // of its leaky ReLU

}  // namespace

ImageDecoder::ImageDecoder(LayerSpace& space, const std::string& name,
                           const std::vector<int64_t>& shape,
                           const GeneratorOptions& o)
    : shape_(shape),
      coarse_channels_(2 * o.filters),
      coarse_height_((shape[1] + 3) / 4),
      coarse_width_((shape[2] + 3) / 4) {
  const int64_t wide = 2 * o.filters;
  dense_.emplace_back(space, name + ".dense1", o.code + o.latent, o.hidden);
  dense_.emplace_back(space, name + ".dense2", o.hidden,
                      wide * coarse_height_ * coarse_width_);
  const auto conv = [&](const char* layer, int64_t from, int64_t to) {
    convolutions_.emplace_back(space, name + layer, from, to);
  };
  conv(".conv1", wide, wide);
  conv(".conv2", wide, 4 * o.filters);
  conv(".conv3", o.filters, o.filters);
  space.as(space.roles() | kModulation);
  conv(".conv4", o.filters, 4 * shape[0]);
  if (!o.task_norm) return;
  int layer = 1;
  for (const int64_t channels : {wide, 4 * o.filters, o.filters})
    norms_.emplace_back(space, concat(name, ".norm", layer++), o.code,
                        channels);
}

at::Tensor ImageDecoder::norm(const Params& p, size_t layer,
                              const at::Tensor& x,
                              const at::Tensor& code) const {
  return norms_.empty() ? x : norms_[layer](p, x, code);
}

at::Tensor ImageDecoder::operator()(const Params& p, const at::Tensor& code,
                                    const at::Tensor& latent) const {
  auto h = at::relu(dense_[0](p, at::cat({code, latent}, -1)));
  h = at::relu(dense_[1](p, h));
  h = ops::to_stack(h.reshape(
      {h.size(0), h.size(1), coarse_channels_, coarse_height_, coarse_width_}));
  h = h + at::relu(norm(p, 0, convolutions_[0](p, h), code));
  h = at::relu(depth_to_space(norm(p, 1, convolutions_[1](p, h), code)));
  h = h + at::relu(norm(p, 2, convolutions_[2](p, h), code));
  h = depth_to_space(convolutions_[3](p, h));
  return h.narrow(3, 0, shape_[1]).narrow(4, 0, shape_[2]).transpose(0, 1);
}

MlpDecoder::MlpDecoder(LayerSpace& space, const std::string& name,
                       const std::vector<int64_t>& shape,
                       const GeneratorOptions& o)
    : shape_(shape) {
  int64_t in = o.code + o.latent, out = o.hidden;
  for (int layer = 1; layer <= kHidden; ++layer, in = out, out *= 2)
    layers_.emplace_back(space, concat(name, ".dense", layer), in, out);
  space.as(space.roles() | kModulation);
  layers_.emplace_back(space, name + ".last", in,
                       shape[0] * shape[1] * shape[2]);
}

at::Tensor MlpDecoder::operator()(const Params& p, const at::Tensor& code,
                                  const at::Tensor& latent) const {
  auto h = at::cat({code, latent}, -1);
  for (int layer = 0; layer < kHidden; ++layer)
    h = at::leaky_relu(layers_[static_cast<size_t>(layer)](p, h), kSlope);
  return layers_.back()(p, h).reshape(
      {h.size(0), h.size(1), shape_[0], shape_[1], shape_[2]});
}

std::unique_ptr<const Decoder> make_decoder(LayerSpace& space,
                                            const std::string& name,
                                            const std::vector<int64_t>& shape,
                                            const GeneratorOptions& o) {
  check_choice("generator.network", o.network, {"convolutions", "mlp"});
  if (o.network == "convolutions")
    return std::make_unique<ImageDecoder>(space, name, shape, o);
  if (o.task_norm)
    throw ConfigError(
        "generator.task_norm = true normalises convolutions, and "
        "generator.network = mlp has none; expected false");
  return std::make_unique<MlpDecoder>(space, name, shape, o);
}

}  // namespace protean
