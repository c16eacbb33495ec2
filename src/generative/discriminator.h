// Tells real images of a class from generated ones: three convolutions of
// stride 2 with leaky ReLU, all with spectral norm (Miyato et al. 2018,
// arXiv:1802.05957), and a projection on the class's code (Miyato and Koyama
// 2018, arXiv:1802.05637): D(x, c) = psi(f(x)) + f(x) . V c. No batch norm: an
// image is judged alone.
#pragma once

#include <vector>

#include "protean/generative/options.h"

#include "generative/layers.h"

namespace protean {

class Discriminator {
 public:
  Discriminator(LayerSpace& space, const std::string& name,
                const std::vector<int64_t>& shape, const GeneratorOptions& o);
  // x (T, n, C, H, W), code (T, n, c), not used without a task code -> (T, n).
  at::Tensor operator()(const Params& p, const at::Tensor& x,
                        const at::Tensor& code) const;

 private:
  struct Weights {
    size_t weight, bias;
  };
  std::vector<Weights> convolutions_;
  Weights dense_{}, score_{};
  size_t projection_ = 0;
  bool task_code_;
};

// w divided by its largest singular value as a matrix (its first dimension
// after the tasks against the rest), from five power iterations; gradients pass
// all of them. w: (T or 1, ...).
at::Tensor spectral_norm(const at::Tensor& w);

}  // namespace protean
