// Codes and latents to images: two dense layers to a quarter of the side, a
// residual convolution, and two doublings by depth to space. With
// generator.task_norm each hidden convolution is normalised per image and
// channel, then scaled and shifted by functions of the class's code
// (conditional instance norm, Dumoulin et al. 2017, arXiv:1610.07629), so no
// image depends on another.
#pragma once

#include <vector>

#include "protean/generative/options.h"

#include "generative/layers.h"

namespace protean {

class ImageDecoder {
 public:
  // shape: {C, H, W}.
  ImageDecoder(LayerSpace& space, const std::string& name,
               const std::vector<int64_t>& shape, const GeneratorOptions& o);
  // code (T, n, c), latent (T, n, z) -> (T, n, C, H, W), any value: logits of
  // the pixels.
  at::Tensor operator()(const Params& p, const at::Tensor& code,
                        const at::Tensor& latent) const;

 private:
  at::Tensor norm(const Params& p, size_t layer, const at::Tensor& x,
                  const at::Tensor& code) const;

  std::vector<int64_t> shape_;
  int64_t coarse_channels_, coarse_height_, coarse_width_;
  std::vector<Dense> dense_;
  std::vector<Conv> convolutions_;
  std::vector<Dense> norms_;  // scale and shift; empty without task_norm
};

}  // namespace protean
