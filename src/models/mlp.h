// A multi-layer perceptron with ReLU between layers, no norm: the sinusoid
// network of Finn et al. 2017 (1-40-40-1) and plain baselines.
#pragma once

#include "protean/models/network.h"
#include "protean/models/options.h"

namespace protean {

class Mlp : public Network {
 public:
  Mlp(const ModelOptions& options, const std::vector<int64_t>& input,
      int64_t outputs);

  const ParameterSpace& params() const override { return space_; }
  size_t head_begin() const override { return space_.count() - 2; }
  int64_t context_size() const override { return context_; }
  std::vector<int64_t> norm_channels() const override { return {}; }
  std::vector<int64_t> feature_shape() const override {
    return {space_.parameters()[head_begin()].shape[1]};
  }
  at::Tensor body(const Params& p, const NetInput& in,
                  Norm& norm) const override;
  at::Tensor head(const Params& p, const at::Tensor& features) const override;
  // Body and head in one fused op.
  at::Tensor forward(const Params& p, const NetInput& in,
                     Norm& norm) const override;
  at::Tensor squared_error(const Params& p, const NetInput& in,
                           const at::Tensor& y) const override;
  Params descend(const Params& p, const NetInput& in, const at::Tensor& y,
                 double lr) const override;

 private:
  // x and the context, (T, n, in + c).
  at::Tensor joined(const NetInput& in) const;

  ParameterSpace space_;
  int64_t context_;
};

}  // namespace protean
