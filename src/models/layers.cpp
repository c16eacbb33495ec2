#include "protean/models/layers.h"

#include <algorithm>

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "protean/models/initialise.h"
#include "protean/models/ops/ops.h"

namespace protean {

LinearLayer::LinearLayer(ParameterSpace& space, const std::string& name,
                         int64_t in, int64_t out)
    : weight_(space.add(name + ".weight", {out, in})) {
  space.add(name + ".bias", {out});
}

at::Tensor LinearLayer::operator()(const Params& p, const at::Tensor& x) const {
  return ops::linear(x, p[weight_], p[weight_ + 1]);
}

LstmLayer::LstmLayer(ParameterSpace& space, const std::string& name, int64_t in,
                     int64_t hidden)
    : hidden_(hidden), gates_(space, name, in + hidden, 4 * hidden) {}

LstmLayer::State LstmLayer::start(int64_t tasks, int64_t n,
                                  const at::TensorOptions& options) const {
  const auto zero = at::zeros({tasks, n, hidden_}, options);
  return {zero, zero};
}

LstmLayer::State LstmLayer::step(const Params& p, const at::Tensor& x,
                                 const State& s) const {
  const auto gates = gates_(p, at::cat({x, s.h}, 2)).chunk(4, 2);
  auto c = gates[1].sigmoid() * s.c + gates[0].sigmoid() * gates[2].tanh();
  return {gates[3].sigmoid() * c.tanh(), c};
}

void initialise_layers(const ParameterSpace& space, size_t first, float* theta,
                       uint64_t seed) {
  const auto& all = space.parameters();
  for (size_t i = first; i < all.size(); ++i) {
    const auto& p = all[i];
    float* const out = theta + p.offset;
    if (p.name.ends_with("norm.scale"))
      std::fill(out, out + p.size, 1.0f);
    else if (p.shape.size() < 2)
      std::fill(out, out + p.size, 0.0f);
    else
      fill_weight(out, p.size, Init::torch, p.size / p.shape[0], p.size, seed,
                  static_cast<uint32_t>(i));
  }
}

}  // namespace protean
