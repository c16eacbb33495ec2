// Small multi-layer perceptrons with ReLU between layers, on the CPU: T tasks
// with weights of their own, every pass of a task in one go.
//
// Per task, layers l = 1..L, h0 = x, widths d0..dL:
//   forward   zl = h(l-1) Wl^T + bl, hl = relu(zl), y = zL
//   backward  DL = gy, gWl = Dl^T h(l-1), gbl = sum of Dl's rows,
//             D(l-1) = (Dl Wl) where h(l-1) > 0; gx = D0, uncut
//   double backward, cotangents Ul of gWl, ul of gbl, v of gx: the same passes,
//   differentiated along (v, U, u) (Pearlmutter 1994), written with a dot:
//     z.l = h.(l-1) Wl^T + h(l-1) Ul^T + ul, h.l = z.l where hl > 0, h.0 = v;
//     to gy: z.L
//     D.L = 0, D.(l-1) = (D.l Wl + Dl Ul) where h(l-1) > 0; to x: D.0, uncut
//     to Wl: D.l^T h(l-1) + Dl^T h.(l-1), to bl: sum of D.l's rows
//   descent: P - lr g for all parameters P, with g the gradient of the mean
//   squared error: DL = 2 share (zL - target), share what a value counts in the
//   mean. Its backward takes cotangents U to U - lr H U, H the Hessian, by the
//   passes of double backward along U, but from D.L = 2 share z.L.
#pragma once

#include <cstdint>
#include <vector>

namespace protean::ops::kernels {

struct MlpShape {
  int64_t tasks, n;
  std::vector<int64_t> width;  // d0..dL
  int64_t layers() const { return static_cast<int64_t>(width.size()) - 1; }
};

// A row of a matrix inside the kernels: a width rounded up to whole vectors.
template <typename T>
int64_t mlp_padded(int64_t width);
// Elements per task of the activations h1..h(L-1), and of D1..DL, which
// backward keeps for double backward.
template <typename T>
int64_t mlp_hidden_size(const MlpShape& s);
template <typename T>
int64_t mlp_delta_size(const MlpShape& s);

// A matrix or row per task, step elements apart: 0 where tasks share it.
template <typename T>
struct PerTask {
  T* data = nullptr;  // null: absent
  int64_t step = 0;
  T* of(int64_t task) const { return data + task * step; }
};

template <typename T>
struct MlpParameters {
  std::vector<PerTask<const T>> w, b;  // l = 1..L at l - 1
};

template <typename T>
struct MlpGradients {
  std::vector<PerTask<T>> w, b;
};

// x: (T, n, d0), y: (T, n, dL), hidden: (T, hidden size).
template <typename T>
void mlp_forward(const MlpShape& s, PerTask<const T> x,
                 const MlpParameters<T>& p, T* hidden, T* y);

// gx may be null. deltas: (T, delta size).
template <typename T>
void mlp_backward(const MlpShape& s, PerTask<const T> x,
                  const MlpParameters<T>& p, const T* hidden, const T* gy,
                  T* deltas, const MlpGradients<T>& g, T* gx);

// u: cotangents, any of which may be absent; v (of gx) and to_x may be null.
template <typename T>
void mlp_double_backward(const MlpShape& s, PerTask<const T> x,
                         const MlpParameters<T>& p, const T* hidden,
                         const T* deltas, const MlpParameters<T>& u, const T* v,
                         T* to_gy, const MlpGradients<T>& to, T* to_x);

// The squared errors that a descent is on.
template <typename T>
struct MlpTargets {
  PerTask<const T> y;      // (n, dL)
  PerTask<const T> share;  // (n); absent: each
  T each = 0;
  const T* share_of(int64_t task) const {
    return share.data ? share.of(task) : &each;
  }
  bool one_share() const { return !share.data; }
};

// The loss of each task, (T), and its gradient. Nothing is kept: no
// second derivative follows.
template <typename T>
void mlp_squared_error(const MlpShape& s, PerTask<const T> x,
                       const MlpTargets<T>& targets, const MlpParameters<T>& p,
                       T* loss, const MlpGradients<T>& g);

// stepped: the parameters after the step. hidden and deltas as above.
template <typename T>
void mlp_descent(const MlpShape& s, PerTask<const T> x,
                 const MlpTargets<T>& targets, const MlpParameters<T>& p,
                 double lr, T* hidden, T* deltas,
                 const MlpGradients<T>& stepped);

// u: cotangents of the stepped parameters, all present.
template <typename T>
void mlp_descent_backward(const MlpShape& s, PerTask<const T> x,
                          const MlpTargets<T>& targets,
                          const MlpParameters<T>& p, double lr, const T* hidden,
                          const T* deltas, const MlpParameters<T>& u,
                          const MlpGradients<T>& to);

}  // namespace protean::ops::kernels
