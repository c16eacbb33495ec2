// Tells real images of a class from generated ones: three convolutions of
// stride 2, or with generator.network = mlp one dense layer of four times
// generator.hidden, then one of generator.features, with leaky ReLU, and a
// projection on the class's code (Miyato and Koyama 2018, arXiv:1802.05637):
// D(x, c) = psi(f(x)) + f(x) . V c. All have spectral norm (Miyato et al. 2018,
// arXiv:1802.05957) unless generator.spectral_norm = false. No batch norm: an
// image is judged alone.
#pragma once

#include <vector>

#include "protean/generative/options.h"
#include "protean/generative/spectral_norm.h"

#include "generative/layers.h"

namespace protean {

class Discriminator {
 public:
  // code: values of c.
  Discriminator(LayerSpace& space, const std::string& name,
                const std::vector<int64_t>& shape, int64_t code,
                const GeneratorOptions& o);
  // Of its weights, one after the other. Costs as much as a few images do: once
  // for all discriminators near p.
  using Stretches = std::vector<Stretch>;
  Stretches stretches(const Params& p) const;
  // The same from kept ones, meta-state of its own: after some steps it is that
  // of the largest singular values.
  Stretches stretches(const Params& p, const at::Tensor& kept) const;
  void add_to(ParameterSpace& state) const;
  void start(const at::Tensor& kept) const;
  // Adds to sums what `tasks` tasks make of the state.
  void keep(const Stretches& found, int64_t tasks,
            const at::Tensor& sums) const;
  // Its parameters with spectral norms taken, once for all that is judged by
  // them.
  Params normalised(const Params& p, const Stretches& between) const;
  Params normalised(const Params& p) const {
    return normalised(p, stretches(p));
  }
  // p normalised; x (T, n, C, H, W), code (T, n, c), not used without a task
  // code -> (T, n).
  at::Tensor operator()(const Params& p, const at::Tensor& x,
                        const at::Tensor& code) const;

 private:
  struct Weights {
    size_t weight, bias;
  };
  // f of the header.
  at::Tensor features(const Params& p, const at::Tensor& x) const;

  std::vector<Weights> convolutions_;
  std::vector<Weights> dense_;
  std::vector<size_t> normed_;  // weights with spectral norm
  std::vector<int64_t> rows_;   // of each, which has so many outputs
  Weights score_{};
  size_t projection_ = 0;
  bool task_code_;
};

}  // namespace protean
