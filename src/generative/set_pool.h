// A set of images to one code, whatever their order and number: mean and
// variance of the features (PointNet and the Neural Statistician of Edwards and
// Storkey 2017, arXiv:1606.02185, pool means), or attention by learnt queries
// (Lee et al. 2019, "Set Transformer", arXiv:1810.00825). Without
// generator.encoder the code's prior, N(0, I), for every set.
#pragma once

#include "protean/generative/options.h"

#include "generative/gaussian.h"
#include "generative/layers.h"

namespace protean {

class SetPool {
 public:
  // Throws ConfigError naming generator.pooling.
  SetPool(LayerSpace& space, const std::string& name,
          const GeneratorOptions& o);
  // features (S, K, f), weight (S, K): 1 = a member of the set, 0 = not; every
  // set has one member at least. -> codes (S, 1, c)
  Gaussian operator()(const Params& p, const at::Tensor& features,
                      const at::Tensor& weight) const;

 private:
  at::Tensor moments(const at::Tensor& features,
                     const at::Tensor& weight) const;
  at::Tensor attention(const Params& p, const at::Tensor& features,
                       const at::Tensor& weight) const;

  int64_t code_;
  bool blind_;  // generator.encoder is off: the prior, whatever the images
  bool attends_;
  std::vector<Dense> score_;  // attention only
  std::vector<Dense> layers_;
};

}  // namespace protean
