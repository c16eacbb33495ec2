// The layers that generative models are made of. A layer owns no values: it is
// a place in a parameter space and a pure function of stacked parameters,
// (T or 1, ...), differentiable to any order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"
#include "protean/models/network.h"

namespace protean {

// The parameters of layers: weights start uniform by Glorot and Bengio 2010
// times a gain, biases at 0.
class LayerSpace {
 public:
  // Roles of all that is added from now on; returns the space.
  LayerSpace& as(unsigned roles) {
    roles_ = roles;
    return *this;
  }
  unsigned roles() const { return roles_; }
  size_t weight(const std::string& name, std::vector<int64_t> shape,
                double gain);
  size_t bias(const std::string& name, int64_t size);
  const ParameterSpace& space() const { return space_; }

 private:
  ParameterSpace space_;
  unsigned roles_ = 0;
};

// (T, n, in) -> (T, n, out)
class Dense {
 public:
  Dense(LayerSpace& space, const std::string& name, int64_t in, int64_t out,
        double gain = 1);
  at::Tensor operator()(const Params& p, const at::Tensor& x) const;

 private:
  size_t weight_, bias_;
};

// 3x3 with padding 1, (n, T, in, H, W) -> (n, T, out, H / stride, W / stride)
class Conv {
 public:
  Conv(LayerSpace& space, const std::string& name, int64_t in, int64_t out,
       int64_t stride = 1, double gain = 1);
  at::Tensor operator()(const Params& p, const at::Tensor& x) const;

 private:
  size_t weight_, bias_;
  int64_t stride_;
};

// (n, T, 4 C, H, W) -> (n, T, C, 2 H, 2 W): every four channels become four
// neighbouring pixels.
at::Tensor depth_to_space(const at::Tensor& x);

// Each place of maps x (n, T, C, H, W) read elsewhere, at its own place plus
// the displacement (n, T, 2, H, W), down and right in places; between places by
// the four around, beyond the edge at the edge. Differentiable to any order but
// where a displacement crosses a whole place.
at::Tensor displaced(const at::Tensor& x, const at::Tensor& by);
// A displacement for maps of `times` as many places each way.
at::Tensor enlarged_flow(const at::Tensor& by, int64_t times);

}  // namespace protean
