// Norm of a generator's layer by the class's code c, so that no image depends
// on another one:
//
//   mu    = a mu_c + (1 - a) mu_x
//   var   = a (var_c + (mu_c - mu)^2) + (1 - a) (var_x + (mu_x - mu)^2)
//   y     = (x - mu) / sqrt(var + eps) (1 + gamma_c) + beta_c
//
// mu_x and var_x are moments of an image's channel over its pixels. They are
// blended with the class's as TaskNorm does (Bronskill et al. 2020,
// arXiv:2003.03284), which are foretold from the code, as by MetaNorm (Du et
// al. 2021), since a generator has no images yet to take them from. Scale and
// shift: conditional instance norm (Dumoulin et al. 2017, arXiv:1610.07629).
// mu_c, log var_c, gamma_c, beta_c and the logit of a are linear in c, and 0 at
// the start.
#pragma once

#include <string>

#include "protean/generative/options.h"

#include "generative/layers.h"

namespace protean {

class CodeNorm {
 public:
  CodeNorm(LayerSpace& space, const std::string& name, int64_t code,
           int64_t channels);
  // x: (n, T, C, H, W), code: (T, n, c).
  at::Tensor operator()(const Params& p, const at::Tensor& x,
                        const at::Tensor& code) const;

 private:
  int64_t channels_;
  Dense of_code_;
};

}  // namespace protean
