// Norm, ReLU and 2x2 max pooling in one pass each way, as GPU kernels: forward,
// backward, double backward. The maths is that of norm_composed.cpp.
//
// One text for two compilers: NVRTC's, behind cuda_threads.cu.h, and the
// host's, behind a header that runs blocks and threads as loops (tests). It
// includes nothing. No op calls it yet: it has been compiled and emulated, but
// not run on a GPU. A block is one group, a task's channel; images are (n, T,
// C, H, W), groups (T, C), weights of images (T, n) or null for 1. What threads
// share lies in shared memory between two phases, so that nothing depends on
// how a phase is run. Sums are two-phase: each thread's own elements in order,
// then a tree over threads. So the same input has the same bits every time.
//
// A choice is one byte per output: the pixel of its cell (0 to 3, row by row;
// 0 without pooling) that is the largest, plus kDead where ReLU lets nothing
// through.

namespace protean_gpu {

constexpr int kThreads = 256;
constexpr int kDead = 4;

struct Shape {
  int n, tasks, channels, height, width;
  int pool;   // 0 or 1
  int batch;  // 0: no moments; mean is 0, r is 1, and neither depends on x
};

// Elements of one group: image b's pixel i of group is at
// ((b * tasks * channels) + group) * pixels + i.
PROTEAN_DEVICE inline long long element(const Shape& s, int group, int pixels,
                                        int i) {
  const int image = i / pixels;
  const long long groups = (long long)s.tasks * s.channels;
  return (image * groups + group) * pixels + i % pixels;
}

PROTEAN_DEVICE inline int out_height(const Shape& s) {
  return s.pool ? s.height / 2 : s.height;
}
PROTEAN_DEVICE inline int out_width(const Shape& s) {
  return s.pool ? s.width / 2 : s.width;
}
PROTEAN_DEVICE inline int out_pixels(const Shape& s) {
  return out_height(s) * out_width(s);
}

// The pixel that choice k of output `out` stands for.
PROTEAN_DEVICE inline int chosen_pixel(const Shape& s, int out, int k) {
  if (!s.pool) return out;
  const int width = out_width(s);
  return (2 * (out / width) + k / 2) * s.width + 2 * (out % width) + k % 2;
}

// The output whose cell holds a pixel, -1 for odd sides' rest; and which of the
// cell's pixels it is.
PROTEAN_DEVICE inline int cell_of(const Shape& s, int pixel, int* k) {
  *k = 0;
  if (!s.pool) return pixel;
  const int i = pixel / s.width, j = pixel % s.width;
  if (i / 2 >= out_height(s) || j / 2 >= out_width(s)) return -1;
  *k = i % 2 * 2 + j % 2;
  return i / 2 * out_width(s) + j / 2;
}

// Of image b in a mean over its task, per pixel: 0 without moments.
template <typename Real>
PROTEAN_DEVICE inline Real share(const Shape& s, const Real* weight, int group,
                                 int b, Real weights) {
  if (!s.batch) return 0;
  const Real own = weight ? weight[group / s.channels * s.n + b] : Real(1);
  return own / (weights * (s.height * s.width));
}

template <typename Real>
PROTEAN_DEVICE inline Real sum_of_weights(const Shape& s, const Real* weight,
                                          int group) {
  if (!weight) return s.n;
  Real sum = 0;
  for (int b = 0; b < s.n; ++b) sum += weight[group / s.channels * s.n + b];
  return sum;
}

// values[0] becomes the sum of all threads' values.
template <typename Real>
PROTEAN_DEVICE inline void add_up(Real* values) {
  for (int half = kThreads / 2; half > 0; half /= 2) {
    PROTEAN_FOR_THREADS(thread) {
      if (thread < half) values[thread] += values[thread + half];
    }
    PROTEAN_END_THREADS
  }
}

template <typename Real>
PROTEAN_DEVICE void forward(const Shape& s, int group, const Real* x,
                            const Real* gamma, const Real* beta,
                            const Real* weight, Real eps, Real* mean, Real* r,
                            Real* variance, unsigned char* choice, Real* y) {
  PROTEAN_SHARED Real sums[kThreads];
  PROTEAN_SHARED Real group_mean[1], group_r[1];
  const int pixels = s.height * s.width;
  const Real weights = sum_of_weights(s, weight, group);
  PROTEAN_FOR_THREADS(thread) {
    Real sum = 0;
    for (int i = thread; i < s.n * pixels; i += kThreads)
      sum += x[element(s, group, pixels, i)] *
             share(s, weight, group, i / pixels, weights);
    sums[thread] = sum;
  }
  PROTEAN_END_THREADS
  add_up(sums);
  PROTEAN_FOR_THREADS(thread) {
    if (thread == 0) group_mean[0] = sums[0];
  }
  PROTEAN_END_THREADS
  PROTEAN_FOR_THREADS(thread) {
    Real sum = 0;
    for (int i = thread; i < s.n * pixels; i += kThreads) {
      const Real d = x[element(s, group, pixels, i)] - group_mean[0];
      sum += d * d * share(s, weight, group, i / pixels, weights);
    }
    sums[thread] = sum;
  }
  PROTEAN_END_THREADS
  add_up(sums);
  PROTEAN_FOR_THREADS(thread) {
    if (thread == 0) {
      group_r[0] = s.batch ? Real(1) / PROTEAN_SQRT(sums[0] + eps) : Real(1);
      mean[group] = group_mean[0];
      r[group] = group_r[0];
      variance[group] = sums[0];
    }
  }
  PROTEAN_END_THREADS
  PROTEAN_FOR_THREADS(thread) {
    const Real a = gamma[group] * group_r[0];
    const int outs = out_pixels(s);
    for (int i = thread; i < s.n * outs; i += kThreads) {
      const int image = i / outs, out = i % outs;
      const long long first = element(s, group, pixels, image * pixels);
      int best = 0;
      Real p = x[first + chosen_pixel(s, out, 0)];
      for (int k = 1; k < (s.pool ? 4 : 1); ++k) {
        const Real other = x[first + chosen_pixel(s, out, k)];
        // A negative gamma turns the order; what is not a number stays.
        if ((gamma[group] < 0 ? other < p : other > p) || other != other) {
          p = other;
          best = k;
        }
      }
      const Real z = a * (p - group_mean[0]) + beta[group];
      const long long at = element(s, group, outs, i);
      y[at] = z > 0 || z != z ? z : Real(0);
      choice[at] = (unsigned char)(best + (z > 0 ? 0 : kDead));
    }
  }
  PROTEAN_END_THREADS
}

// gx, and sum1 = sum g, sum2 = sum g (p - mean) r over the outputs that live:
// the gradients of beta and gamma.
template <typename Real>
PROTEAN_DEVICE void backward(const Shape& s, int group, const Real* x,
                             const Real* gamma, const Real* weight,
                             const Real* mean, const Real* r,
                             const unsigned char* choice, const Real* gy,
                             Real* gx, Real* sum1, Real* sum2) {
  PROTEAN_SHARED Real sums1[kThreads];
  PROTEAN_SHARED Real sums2[kThreads];
  const int pixels = s.height * s.width, outs = out_pixels(s);
  const Real weights = sum_of_weights(s, weight, group);
  PROTEAN_FOR_THREADS(thread) {
    Real first = 0, second = 0;
    for (int i = thread; i < s.n * outs; i += kThreads) {
      const long long at = element(s, group, outs, i);
      if (choice[at] >= kDead) continue;
      const Real p = x[element(s, group, pixels, i / outs * pixels) +
                       chosen_pixel(s, i % outs, choice[at])];
      first += gy[at];
      second += gy[at] * (p - mean[group]) * r[group];
    }
    sums1[thread] = first;
    sums2[thread] = second;
  }
  PROTEAN_END_THREADS
  add_up(sums1);
  add_up(sums2);
  PROTEAN_FOR_THREADS(thread) {
    if (thread == 0) {
      sum1[group] = sums1[0];
      sum2[group] = sums2[0];
    }
    const Real a = gamma[group] * r[group];
    for (int i = thread; i < s.n * pixels; i += kThreads) {
      const long long at = element(s, group, pixels, i);
      Real g =
          -(x[at] - mean[group]) * (a * r[group] * sums2[0]) - a * sums1[0];
      g *= share(s, weight, group, i / pixels, weights);
      int k = 0;
      const int out = cell_of(s, i % pixels, &k);
      if (out >= 0) {
        const long long to = element(s, group, outs, i / pixels * outs) + out;
        if (choice[to] == k) g += a * gy[to];
      }
      gx[at] = g;
    }
  }
  PROTEAN_END_THREADS
}

// Gradients of <v, gx> + <u_gamma, sum2> + <u_beta, sum1> with respect to gy, x
// and gamma.
template <typename Real>
PROTEAN_DEVICE void double_backward(const Shape& s, int group, const Real* x,
                                    const Real* gamma, const Real* weight,
                                    const Real* mean, const Real* r,
                                    const unsigned char* choice, const Real* gy,
                                    const Real* sum1, const Real* sum2,
                                    const Real* v, const Real* u_gamma,
                                    const Real* u_beta, Real* to_gy, Real* to_x,
                                    Real* to_gamma) {
  PROTEAN_SHARED Real sums_k[kThreads];
  PROTEAN_SHARED Real sums_v1[kThreads];
  PROTEAN_SHARED Real sums_v2[kThreads];
  const int pixels = s.height * s.width, outs = out_pixels(s);
  const Real weights = sum_of_weights(s, weight, group);
  PROTEAN_FOR_THREADS(thread) {
    Real k = 0, v1 = 0, v2 = 0;
    for (int i = thread; i < s.n * outs; i += kThreads) {
      const long long at = element(s, group, outs, i);
      if (choice[at] < kDead)
        k += gy[at] * v[element(s, group, pixels, i / outs * pixels) +
                        chosen_pixel(s, i % outs, choice[at])];
    }
    for (int i = thread; i < s.n * pixels; i += kThreads) {
      const long long at = element(s, group, pixels, i);
      const Real w = v[at] * share(s, weight, group, i / pixels, weights);
      v1 += w;
      v2 += w * (x[at] - mean[group]) * r[group];
    }
    sums_k[thread] = k;
    sums_v1[thread] = v1;
    sums_v2[thread] = v2;
  }
  PROTEAN_END_THREADS
  add_up(sums_k);
  add_up(sums_v1);
  add_up(sums_v2);
  PROTEAN_FOR_THREADS(thread) {
    const Real m = mean[group], q = r[group], a = gamma[group] * q;
    const Real v1 = sums_v1[0], v2 = sums_v2[0];
    const Real k = sums_k[0] - sum1[group] * v1 - sum2[group] * v2;
    const Real of_g = u_gamma[group] - a * v2, g1 = u_beta[group] - a * v1;
    const Real of_v = -a * sum2[group];
    const Real mean_q = of_v * v1 + of_g * sum1[group];
    const Real mean_qx = of_v * v2 + of_g * sum2[group];
    if (thread == 0) to_gamma[group] = q * k;
    for (int i = thread; i < s.n * pixels; i += kThreads) {
      const long long at = element(s, group, pixels, i);
      Real g = (x[at] - m) * (-q * q * (mean_qx + a * k)) + v[at] * q * of_v -
               q * mean_q;
      g *= share(s, weight, group, i / pixels, weights);
      int own = 0;
      const int out = cell_of(s, i % pixels, &own);
      if (out >= 0) {
        const long long to = element(s, group, outs, i / pixels * outs) + out;
        if (choice[to] == own) g += gy[to] * q * of_g;
      }
      to_x[at] = g;
    }
    for (int i = thread; i < s.n * outs; i += kThreads) {
      const long long at = element(s, group, outs, i);
      const bool lives = choice[at] < kDead;
      const long long from = element(s, group, pixels, i / outs * pixels) +
                             chosen_pixel(s, i % outs, choice[at] % kDead);
      to_gy[at] =
          lives ? (x[from] - m) * (of_g * q) + v[from] * a + g1 : Real(0);
    }
  }
  PROTEAN_END_THREADS
}

}  // namespace protean_gpu
