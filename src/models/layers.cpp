#include "protean/models/layers.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "protean/models/initialise.h"
#include "protean/models/ops/ops.h"

namespace protean {

LinearLayer::LinearLayer(ParameterSpace& space, const std::string& name,
                         int64_t in, int64_t out)
    : weight_(add_weight(space, name, {out, in}, Start::Rule::torch)) {
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

}  // namespace protean
