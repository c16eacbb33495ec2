// Images to features: three convolutions of stride 2 and a dense layer, ReLU
// after each. No norm: an image's features depend on no other image.
#pragma once

#include <vector>

#include "protean/generative/options.h"

#include "generative/layers.h"

namespace protean {

class ImageEncoder {
 public:
  // shape: {C, H, W}.
  ImageEncoder(LayerSpace& space, const std::string& name,
               const std::vector<int64_t>& shape, const GeneratorOptions& o);
  // (T, n, C, H, W) -> (T, n, o.features)
  at::Tensor operator()(const Params& p, const at::Tensor& x) const;

 private:
  std::vector<Conv> convolutions_;
  std::vector<Dense> dense_;
};

}  // namespace protean
