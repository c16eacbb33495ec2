// The few operations that decide the speed, on stacks of tasks.
//
// Every op takes parameters with a leading task dimension: (T, ...) where each
// task has its own, or (1, ...) where all tasks share them. Each is
// differentiable to any order that MAML needs (forward, backward, double
// backward), in float32 and float64, and has a plain reference version in
// ops::reference against which tests compare values and first and second
// derivatives. Algebra: "fast ops are closed under differentiation".
//
// Images travel through a network as (n, T, C, H, W): to_stack() makes it, ops
// keep it from end to end, from_stack() goes back. The order of its elements in
// memory is whatever is fastest on the device: never assume it contiguous.
//
// An op throws Error when shapes or types do not fit. Ops may be called from
// any thread.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace protean::ops {

// (T, n, C, H, W) -> the layout that conv and norm take, (n, T, C, H, W).
at::Tensor to_stack(const at::Tensor& x);
// (n, T, C, H, W) -> features (T, n, C*H*W), contiguous, C slowest.
at::Tensor from_stack(const at::Tensor& x);

// Convolution by odd squares, padding k/2, stride 1 or 2, no bias; 3x3 is fast.
// x: (n, T, Cin, H, W), w: (T or 1, Cout, Cin, k, k).
at::Tensor conv(const at::Tensor& x, const at::Tensor& w, int64_t stride);

enum class Pool { none, max2 };  // max2: 2x2, stride 2, floor

struct NormResult {
  at::Tensor y;
  at::Tensor mean, variance;  // (T, C), biased; part of the graph
};

// Normalises each (task, channel) over images and pixels by its own batch
// moments, scales by gamma, shifts by beta, ReLU, pools.
// x: (n, T, C, H, W); gamma, beta: (T or 1, C), gamma may be undefined (= 1).
// weight: (T, n), 0 = padding that the moments leave out; undefined = all real.
NormResult norm_relu_pool(const at::Tensor& x, const at::Tensor& gamma,
                          const at::Tensor& beta, double eps, Pool pool,
                          const at::Tensor& weight = {});

// The same with given moments (T or 1, C): inductive evaluation.
at::Tensor norm_relu_pool_given(const at::Tensor& x, const at::Tensor& mean,
                                const at::Tensor& variance,
                                const at::Tensor& gamma, const at::Tensor& beta,
                                double eps, Pool pool);

// y = x w^T + b. x: (T, n, in), w: (T or 1, out, in), b: (T or 1, out) or
// undefined.
at::Tensor linear(const at::Tensor& x, const at::Tensor& w,
                  const at::Tensor& b);

// A whole multi-layer perceptron with ReLU between layers as one op.
// x: (T, n, in); weights[i]: (T or 1, out_i, in_i), biases[i]: (T or 1, out_i).
// Returns (T, n, out_last).
at::Tensor relu_mlp(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                    const std::vector<at::Tensor>& biases);

// Mean squared error per task of relu_mlp, (T): as mean_squared_error, in one
// op that has the gradient ready when the value is.
at::Tensor relu_mlp_squared_error(const at::Tensor& x, const at::Tensor& y,
                                  const at::Tensor& weight,
                                  const std::vector<at::Tensor>& weights,
                                  const std::vector<at::Tensor>& biases);

// One step of gradient descent on each task's mean squared error, as one op:
// the parameters of relu_mlp less lr times the gradient, weights then biases,
// each (T, ...). An inner step of MAML by stock operations costs a small
// network more in calls than in arithmetic. y: (T, n, d); weight as below.
std::vector<at::Tensor> relu_mlp_descent(const at::Tensor& x,
                                         const at::Tensor& y,
                                         const at::Tensor& weight,
                                         const std::vector<at::Tensor>& weights,
                                         const std::vector<at::Tensor>& biases,
                                         double lr);

// Mean cross-entropy per task, (T). logits: (T, n, N), y: (T, n) int64,
// weight: (T, n) or undefined; the mean is over real examples.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& y,
                         const at::Tensor& weight);

// Mean squared error per task, (T). prediction, y: (T, n, d); weight as above.
at::Tensor mean_squared_error(const at::Tensor& prediction, const at::Tensor& y,
                              const at::Tensor& weight);

// The plain versions, from stock operations, with autograd's own derivatives.
namespace reference {
at::Tensor conv(const at::Tensor& x, const at::Tensor& w, int64_t stride);
NormResult norm_relu_pool(const at::Tensor& x, const at::Tensor& gamma,
                          const at::Tensor& beta, double eps, Pool pool,
                          const at::Tensor& weight = {});
at::Tensor norm_relu_pool_given(const at::Tensor& x, const at::Tensor& mean,
                                const at::Tensor& variance,
                                const at::Tensor& gamma, const at::Tensor& beta,
                                double eps, Pool pool);
at::Tensor linear(const at::Tensor& x, const at::Tensor& w,
                  const at::Tensor& b);
at::Tensor relu_mlp(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                    const std::vector<at::Tensor>& biases);
std::vector<at::Tensor> relu_mlp_descent(const at::Tensor& x,
                                         const at::Tensor& y,
                                         const at::Tensor& weight,
                                         const std::vector<at::Tensor>& weights,
                                         const std::vector<at::Tensor>& biases,
                                         double lr);
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& y,
                         const at::Tensor& weight);
at::Tensor mean_squared_error(const at::Tensor& prediction, const at::Tensor& y,
                              const at::Tensor& weight);
}  // namespace reference

}  // namespace protean::ops
