// Batch normalisation + ReLU + 2x2 max-pool as one pass each way, on the CPU,
// for stacks in channels-last memory.
//
// A group is one (task, channel): N = n*H*W values x, mean m, r = 1/sqrt(var +
// eps), xh = (x - m) r, a = gamma r. max commutes with a monotone function, so
// only the pooled quarter is scaled, shifted and cut: p is the pooled extreme
// of x (the maximum; the minimum where gamma < 0), ph = (p - m) r. S scatters
// pooled values to the place of their extreme, G gathers from there. Without
// pooling p is x itself.
//
//   forward   y = relu(a (p - m) + beta)
//   backward, g = gy where y > 0, s1 = sum g, s2 = sum g ph:
//     to beta s1, to gamma s2, to x: a (S(g) - s1/N - xh s2/N)
//   double backward, cotangents v, u_gamma, u_beta of those; V1 = sum v,
//   V2 = sum v xh, V3 = sum G(v) g, K = V3 - s1 V1/N - s2 V2/N:
//     to gy: a (G(v) - V1/N - ph V2/N) + u_gamma ph + u_beta where y > 0
//     to gamma: r K
//     to x: r (q - mean q - xh mean(q xh)) - gamma K r^2 xh / N,
//           q = -(a s2/N) v + S((u_gamma - a V2/N) g)
//
// Images may have weights w (0 = padding that the moments leave out). Then 1/N
// is w/sum(w H W) wherever it stands for one value's share of a mean, and V1
// and V2 are weighted sums.
//
// With given moments the batch terms (all that is divided by N) are absent:
// m = 0, r = 1 and 1/N = 0 give that op from the same kernels.
#pragma once

#include <cstdint>

namespace protean::ops::kernels {

struct NormShape {
  int64_t tasks, n, h, w, channels;
  bool pool;
  bool batch;  // false: the input is normalised already, m = 0, r = 1
  int64_t h_out() const { return pool ? h / 2 : h; }
  int64_t w_out() const { return pool ? w / 2 : w; }
};

// Per (task, channel), (T, C).
template <typename T>
struct NormGroups {
  const T *gamma, *beta;  // beta: forward only
  T *mean, *r;
  const T* weight;  // of images, (T, n); null: all 1
};

// What backward needs of forward, at every output: p (unused without pooling)
// and which of the four pixels it came from; kDead where y <= 0.
template <typename T>
struct NormChoice {
  T* p;
  uint8_t* index;
};
constexpr uint8_t kDead = 4;

// Whether the kernels take this number of channels.
template <typename T>
bool norm_supported(int64_t channels);

// Writes variance (T, C), mean, r, y and the choice (which may be null).
// Without batch, reads mean and r instead.
template <typename T>
void norm_forward(const NormShape& s, const T* x, const NormGroups<T>& groups,
                  double eps, T* variance, const NormChoice<T>& choice, T* y);

// sums: s1 and s2, (T, C) each.
template <typename T>
void norm_backward(const NormShape& s, const T* x, const NormGroups<T>& groups,
                   const NormChoice<T>& choice, const T* gy, T* gx, T* s1,
                   T* s2);

template <typename T>
struct NormCotangents {
  const T *v, *gamma, *beta;  // of gx, s2, s1
};

template <typename T>
void norm_double_backward(const NormShape& s, const T* x,
                          const NormGroups<T>& groups,
                          const NormChoice<T>& choice, const T* gy, const T* s1,
                          const T* s2, const NormCotangents<T>& u, T* to_gy,
                          T* to_x, T* to_gamma);

}  // namespace protean::ops::kernels
