#include "generative/image_encoder.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean {

ImageEncoder::ImageEncoder(LayerSpace& space, const std::string& name,
                           const std::vector<int64_t>& shape,
                           const GeneratorOptions& o) {
  int64_t channels = shape[0], height = shape[1], width = shape[2];
  for (int i = 1; i <= 3; ++i) {
    const int64_t out = i == 1 ? o.filters : 2 * o.filters;
    convolutions_.emplace_back(space, concat(name, ".conv", i), channels, out,
                               2);
    channels = out;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
  dense_.emplace_back(space, name + ".dense", channels * height * width,
                      o.features);
}

at::Tensor ImageEncoder::operator()(const Params& p,
                                    const at::Tensor& x) const {
  auto h = ops::to_stack(x);
  for (const auto& conv : convolutions_) h = at::relu(conv(p, h));
  return at::relu(dense_[0](p, ops::from_stack(h)));
}

}  // namespace protean
