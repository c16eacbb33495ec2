// A head alone: examples are features, (T, n, f), and the body passes them on.
#pragma once

#include "protean/models/network.h"

namespace protean {

class LinearNetwork : public Network {
 public:
  LinearNetwork(int64_t features, int64_t outputs);

  const ParameterSpace& params() const override { return space_; }
  size_t head_begin() const override { return 0; }
  std::vector<int64_t> norm_channels() const override { return {}; }
  std::vector<int64_t> feature_shape() const override;
  at::Tensor body(const Params& p, const NetInput& in,
                  Norm& norm) const override;
  at::Tensor head(const Params& p, const at::Tensor& features) const override;

 private:
  ParameterSpace space_;
};

}  // namespace protean
