// One normalisation layer of an image network, with the scale, shift, ReLU and
// pooling that follow it.
#pragma once

#include <string>

#include "protean/models/network.h"
#include "protean/models/ops/ops.h"
#include "protean/models/options.h"

namespace protean {

class NormLayer {
 public:
  // Adds NAME.scale (if the options have it) and NAME.shift. layer: its place
  // among the moments of a Norm.
  NormLayer(ParameterSpace& space, const std::string& name, int64_t channels,
            const ModelOptions& options, size_t layer);

  // h: (n, T, C, H, W). Records its moments, or uses given ones.
  at::Tensor operator()(const Params& p, const at::Tensor& h, ops::Pool pool,
                        Norm& norm) const;

 private:
  bool has_scale_;
  size_t shift_;
  double eps_;
  size_t layer_;
};

}  // namespace protean
