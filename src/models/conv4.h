// The four-block convolutional network of the few-shot papers: 3x3 convolution
// with padding 1, batch norm, ReLU, and 2x2 max-pool or stride 2.
//
// max: Vinyals et al. 2016, Snell et al. 2017; features are flattened.
// stride: Finn et al. 2017 for Omniglot; features are the spatial mean.
// Convolutions carry no bias: the norm that follows would remove it. With
// context values FiLM modulates the third block, as in CAVIA (Zintgraf et al.
// 2019), which pools first.
#pragma once

#include <optional>

#include "protean/models/network.h"
#include "protean/models/norm_layer.h"
#include "protean/models/options.h"

#include "models/film_layer.h"

namespace protean {

class Conv4 : public Network {
 public:
  Conv4(const ModelOptions& options, const std::vector<int64_t>& input,
        int64_t outputs);

  const ParameterSpace& params() const override { return space_; }
  size_t head_begin() const override { return head_; }
  int64_t context_size() const override { return context_; }
  std::vector<int64_t> norm_channels() const override { return moments_; }
  std::vector<int64_t> feature_shape() const override { return features_; }
  at::Tensor body(const Params& p, const NetInput& in,
                  Norm& norm) const override;
  at::Tensor head(const Params& p, const at::Tensor& features) const override;

 private:
  struct Block {
    size_t weight;  // index of the convolution's
    NormLayer norm;
    bool halves;
  };
  ParameterSpace space_;
  std::vector<Block> blocks_;
  size_t head_ = 0;
  std::vector<int64_t> features_;
  std::vector<int64_t> moments_;
  std::optional<FilmLayer> film_;  // of the third block
  int64_t filters_, context_;
  bool max_pool_;
};

}  // namespace protean
