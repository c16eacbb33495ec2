// Codes and latents to images.
#pragma once

#include <memory>
#include <vector>

#include "protean/generative/options.h"

#include "generative/code_norm.h"
#include "generative/layers.h"

namespace protean {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // code (T, n, c), latent (T, n, z) -> (T, n, C, H, W), any value: logits of
  // the pixels.
  virtual at::Tensor operator()(const Params& p, const at::Tensor& code,
                                const at::Tensor& latent) const = 0;
};

// The one of generator.network; shape: {C, H, W}. Throws ConfigError.
std::unique_ptr<const Decoder> make_decoder(LayerSpace& space,
                                            const std::string& name,
                                            const std::vector<int64_t>& shape,
                                            const GeneratorOptions& o);

// Two dense layers to a quarter of the side, a residual convolution, and two
// doublings by depth to space. With generator.task_norm each hidden convolution
// is normalised by the class's code (code_norm.h).
class ImageDecoder : public Decoder {
 public:
  ImageDecoder(LayerSpace& space, const std::string& name,
               const std::vector<int64_t>& shape, const GeneratorOptions& o);
  at::Tensor operator()(const Params& p, const at::Tensor& code,
                        const at::Tensor& latent) const override;

 private:
  at::Tensor norm(const Params& p, size_t layer, const at::Tensor& x,
                  const at::Tensor& code) const;

  std::vector<int64_t> shape_;
  int64_t coarse_channels_, coarse_height_, coarse_width_;
  std::vector<Dense> dense_;
  std::vector<Conv> convolutions_;
  std::vector<CodeNorm> norms_;  // empty without task_norm
};

// Four dense layers with leaky ReLU, of generator.hidden values and twice as
// many each time, and one of the pixels: the plain GAN of many courses.
class MlpDecoder : public Decoder {
 public:
  MlpDecoder(LayerSpace& space, const std::string& name,
             const std::vector<int64_t>& shape, const GeneratorOptions& o);
  at::Tensor operator()(const Params& p, const at::Tensor& code,
                        const at::Tensor& latent) const override;

 private:
  std::vector<int64_t> shape_;
  std::vector<Dense> layers_;
};

}  // namespace protean
