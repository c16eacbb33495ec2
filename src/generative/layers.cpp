#include "generative/layers.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/models/ops/ops.h"

#include "models/initialise.h"

namespace protean {

size_t LayerSpace::weight(const std::string& name, std::vector<int64_t> shape,
                          double gain) {
  gains_.push_back(gain);
  return space_.add(name + ".weight", std::move(shape));
}

size_t LayerSpace::bias(const std::string& name, int64_t size) {
  gains_.push_back(0);
  return space_.add(name + ".bias", {size});
}

void LayerSpace::initialise(float* theta, uint64_t seed) const {
  for (size_t i = 0; i < gains_.size(); ++i) {
    const auto& p = space_.parameters()[i];
    float* const out = theta + p.offset;
    if (gains_[i] == 0) {
      std::fill_n(out, p.size, 0.0f);
      continue;
    }
    const int64_t pixels = p.shape.size() == 4 ? 9 : 1;
    fill_weight(out, p.size, Init::xavier, p.shape[1] * pixels,
                p.shape[0] * pixels, seed, static_cast<uint32_t>(i));
    for (int64_t k = 0; k < p.size; ++k)
      out[k] *= static_cast<float>(gains_[i]);
  }
}

Dense::Dense(LayerSpace& space, const std::string& name, int64_t in,
             int64_t out, double gain)
    : weight_(space.weight(name, {out, in}, gain)),
      bias_(space.bias(name, out)) {}

at::Tensor Dense::operator()(const Params& p, const at::Tensor& x) const {
  return ops::linear(x, p[weight_], p[bias_]);
}

Conv::Conv(LayerSpace& space, const std::string& name, int64_t in, int64_t out,
           int64_t stride, double gain)
    : weight_(space.weight(name, {out, in, 3, 3}, gain)),
      bias_(space.bias(name, out)),
      stride_(stride) {}

at::Tensor Conv::operator()(const Params& p, const at::Tensor& x) const {
  return ops::conv(x, p[weight_], stride_) +
         p[bias_].unsqueeze(0).unsqueeze(-1).unsqueeze(-1);
}

at::Tensor depth_to_space(const at::Tensor& x) {
  const auto n = x.size(0), tasks = x.size(1), channels = x.size(2) / 4;
  const auto height = x.size(3), width = x.size(4);
  return x.reshape({n, tasks, channels, 2, 2, height, width})
      .permute({0, 1, 2, 5, 3, 6, 4})
      .reshape({n, tasks, channels, 2 * height, 2 * width});
}

}  // namespace protean
