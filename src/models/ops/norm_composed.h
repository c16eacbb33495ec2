// The formulas of norm_kernels.h in stock operations: for devices, and for
// numbers of channels, that the kernels do not take. Fewer passes over the full
// tensor than autograd makes of the plain op.
#pragma once

#include <ATen/core/Tensor.h>

namespace protean::ops::composed {

// Tensors outside the graph. x: (n, T, C, H, W), contiguous; groups: (T, C).
struct Norm {
  bool pool, batch;
  double eps;
  at::Tensor weight;  // (T, n) or undefined
  // Made by forward; without batch mean = 0 and r = 1 are given.
  at::Tensor mean, r, variance;
  at::Tensor p, index, live;  // at every output; p and index only with pooling
};

at::Tensor forward(Norm& norm, const at::Tensor& x, const at::Tensor& gamma,
                   const at::Tensor& beta);

struct Gradients {
  at::Tensor x, sum1, sum2;  // s1 and s2 are to beta and to gamma
};
Gradients backward(const Norm& norm, const at::Tensor& x,
                   const at::Tensor& gamma, const at::Tensor& gy);

struct SecondGradients {
  at::Tensor gy, x, gamma;
};
// v, u_gamma, u_beta: cotangents of Gradients' x, sum2, sum1.
SecondGradients double_backward(const Norm& norm, const at::Tensor& x,
                                const at::Tensor& gamma, const at::Tensor& gy,
                                const at::Tensor& sum1, const at::Tensor& sum2,
                                const at::Tensor& v, const at::Tensor& u_gamma,
                                const at::Tensor& u_beta);

}  // namespace protean::ops::composed
