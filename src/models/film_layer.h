// Task-wise modulation of channels by context values: FiLM (Perez et al. 2018,
// arXiv:1709.07871), as TADAM (Oreshkin et al. 2018) and CAVIA use it.
#pragma once

#include "protean/models/layers.h"
#include "protean/models/norm_layer.h"

namespace protean {

class FilmLayer {
 public:
  FilmLayer(ParameterSpace& space, const std::string& name, int64_t context,
            int64_t channels)
      : map_(space, name, context, 2 * channels) {}
  // context: (T, c). The scale is 1 more than what the linear map gives.
  Film operator()(const Params& p, const at::Tensor& context) const {
    const auto both = map_(p, context.unsqueeze(1)).squeeze(1).chunk(2, 1);
    return {both[0] + 1, both[1]};
  }

 private:
  LinearLayer map_;
};

}  // namespace protean
