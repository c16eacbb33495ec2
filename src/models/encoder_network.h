// The trunk of the generative models' encoder and discriminator as a learner's
// network, to start from what one of them has learnt (model.init_from): three
// 3x3 convolutions of stride 2 with biases, model.filters channels and twice as
// many, and a dense layer of model.width, with (leaky) ReLU and no norms.
#pragma once

#include "protean/models/network.h"
#include "protean/models/options.h"

namespace protean {

class EncoderNetwork : public Network {
 public:
  // Throws ConfigError naming the key.
  EncoderNetwork(const ModelOptions& options, const std::vector<int64_t>& input,
                 int64_t outputs);

  const ParameterSpace& params() const override { return space_; }
  size_t head_begin() const override { return space_.count() - 2; }
  std::vector<int64_t> norm_channels() const override { return {}; }
  std::vector<int64_t> feature_shape() const override { return {width_}; }
  at::Tensor body(const Params& p, const NetInput& in,
                  Norm& norm) const override;
  at::Tensor head(const Params& p, const at::Tensor& features) const override;

 private:
  ParameterSpace space_;
  int64_t width_;
  double leak_;
};

}  // namespace protean
