#include "models/ops/norm_kernels.h"

#include <cmath>

#include "models/ops/norm_parts.h"

namespace protean::ops::kernels {

namespace {

// Sums of d = x - pivot and of d^2.
template <typename T, int V>
void moment_sums(const NormShape& s, const T* x, const T* pivot,
                 const Weights<T>& weight, int64_t images, double* sum,
                 double* square) {
  Vec<T> base[V];
  for (int v = 0; v < V; ++v) base[v] = load(pivot + v * kLanes<T>);
  const int64_t pixels = s.h * s.w;
  const int64_t step = weight.all_one() ? images_per_sum(pixels) : 1;
  for (int64_t b = 0; b < images; b += step) {
    Vec<T> acc[V] = {}, acc2[V] = {};
    const T* p = x + b * pixels * s.channels;
    const int64_t rows = std::min(step, images - b) * pixels;
    for (int64_t i = 0; i < rows; ++i, p += s.channels)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Vec<T> d = load(p + v * kLanes<T>) - base[v];
        acc[v] += d;
        acc2[v] += d * d;
      }
    add_to<T, V>(sum, acc, weight[b]);
    add_to<T, V>(square, acc2, weight[b]);
  }
}

template <typename T, int V, int P>
void forward_images(const NormShape& s, const T* x, const T* mean,
                    const T* scale, const T* beta, T* p_out, uint8_t* index,
                    T* y, int64_t images) {
  const int64_t C = s.channels, outputs = s.h_out() * s.w_out();
  Vec<T> m[V], a[V], b[V], sign[V];
  const Vec<T> zero{};
  for (int v = 0; v < V; ++v) {
    m[v] = load(mean + v * kLanes<T>);
    a[v] = load(scale + v * kLanes<T>);
    b[v] = load(beta + v * kLanes<T>);
    sign[v] = a[v] < zero ? broadcast(T(-1)) : broadcast(T(1));
  }
  for (int64_t image = 0; image < images; ++image) {
    for_cells<P>(
        s,
        [&](int64_t out, int64_t pixel) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) {
            const T* from = x + pixel * C + v * kLanes<T>;
            Vec<T> best = load(from);
            Mask<T> choice{};
            if constexpr (P == 2) {
              best *= sign[v];
#pragma GCC unroll 4
              for (int k = 1; k < 4; ++k) {
                const Vec<T> f = load(from + in_cell<P>(s, k) * C) * sign[v];
                const Mask<T> better = f > best;
                best = better ? f : best;
                choice = better ? broadcast(Index<T>(k)) : choice;
              }
              best *= sign[v];
            }
            const Vec<T> z = (best - m[v]) * a[v] + b[v];
            // NaN stays NaN.
            store(y + out * C + v * kLanes<T>, z < zero ? zero : z);
            if (index) {
              if (P == 2) store(p_out + out * C + v * kLanes<T>, best);
              choice = z > zero ? choice : broadcast(Index<T>(kDead));
              store_index<T>(index + out * C + v * kLanes<T>, choice);
            }
          }
        },
        [](int64_t) {});
    x += s.h * s.w * C;
    y += outputs * C;
    if (index) {
      index += outputs * C;
      if (P == 2) p_out += outputs * C;
    }
  }
}

// Live upstream gradients.
template <typename T>
PROTEAN_INLINE Vec<T> live(Vec<T> g, Mask<T> index) {
  return index == broadcast(Index<T>(kDead)) ? Vec<T>{} : g;
}

// s1 = sum g, s2 = sum g ph; p over the outputs of some images.
template <typename T, int V>
void backward_sums(const NormShape& s, const T* p, const uint8_t* index,
                   const T* gy, const T* mean, const T* r, int64_t images,
                   double* s1, double* s2) {
  Vec<T> m[V], scale[V];
  for (int v = 0; v < V; ++v) {
    m[v] = load(mean + v * kLanes<T>);
    scale[v] = load(r + v * kLanes<T>);
  }
  const int64_t outputs = s.h_out() * s.w_out();
  const int64_t step = images_per_sum(outputs);
  for (int64_t b = 0; b < images; b += step) {
    Vec<T> acc[V] = {}, acc2[V] = {};
    const int64_t begin = b * outputs;
    const int64_t end = std::min(b + step, images) * outputs;
    for (int64_t i = begin; i < end; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const int64_t at = i * s.channels + v * kLanes<T>;
        const Vec<T> g = live<T>(load(gy + at), load_index<T>(index + at));
        acc[v] += g;
        acc2[v] += g * ((load(p + at) - m[v]) * scale[v]);
      }
    add_to<T, V>(s1, acc);
    add_to<T, V>(s2, acc2);
  }
}

// gx = a S(g) - k0 - k1 (x - m).
template <typename T, int V, int P>
void backward_images(const NormShape& s, const T* x, const uint8_t* index,
                     const T* gy, const T* mean, const T* scale, const T* k0,
                     const T* k1, const Weights<T>& weight, T* gx,
                     int64_t images) {
  const int64_t C = s.channels, outputs = s.h_out() * s.w_out();
  Vec<T> m[V], a[V], c0[V], c1[V];
  for (int v = 0; v < V; ++v) {
    m[v] = load(mean + v * kLanes<T>);
    a[v] = load(scale + v * kLanes<T>);
  }
  for (int64_t image = 0; image < images; ++image) {
    for (int v = 0; v < V; ++v) {
      c0[v] = load(k0 + v * kLanes<T>) * weight[image];
      c1[v] = load(k1 + v * kLanes<T>) * weight[image];
    }
    for_cells<P>(
        s,
        [&](int64_t out, int64_t pixel) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) {
            const int64_t o = out * C + v * kLanes<T>;
            const Mask<T> choice = load_index<T>(index + o);
            const Vec<T> g = load(gy + o) * a[v];
#pragma GCC unroll 4
            for (int k = 0; k < P * P; ++k) {
              const int64_t i = (pixel + in_cell<P>(s, k)) * C + v * kLanes<T>;
              const Vec<T> sg = choice == broadcast(Index<T>(k)) ? g : Vec<T>{};
              store(gx + i, sg - c0[v] - c1[v] * (load(x + i) - m[v]));
            }
          }
        },
        [&](int64_t pixel) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) {
            const int64_t i = pixel * C + v * kLanes<T>;
            store(gx + i, -c0[v] - c1[v] * (load(x + i) - m[v]));
          }
        });
    x += s.h * s.w * C;
    gx += s.h * s.w * C;
    index += outputs * C;
    gy += outputs * C;
  }
}

// V1 = sum v, V2 = sum v xh, V3 = sum G(v) g.
template <typename T, int V, int P>
void double_sums(const NormShape& s, const T* x, const uint8_t* index,
                 const T* gy, const T* u, const T* mean, const T* r,
                 const Weights<T>& weight, int64_t images, double* v1,
                 double* v2, double* v3) {
  const int64_t C = s.channels, outputs = s.h_out() * s.w_out();
  Vec<T> m[V], scale[V];
  for (int v = 0; v < V; ++v) {
    m[v] = load(mean + v * kLanes<T>);
    scale[v] = load(r + v * kLanes<T>);
  }
  const int64_t step = weight.all_one() ? images_per_sum(s.h * s.w) : 1;
  for (int64_t b = 0; b < images; b += step) {
    Vec<T> acc1[V] = {}, acc2[V] = {}, acc3[V] = {};
    for (int64_t image = b; image < std::min(b + step, images); ++image) {
      for_cells<P>(
          s,
          [&](int64_t out, int64_t pixel) {
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) {
              const int64_t o = out * C + v * kLanes<T>;
              const Mask<T> choice = load_index<T>(index + o);
              Vec<T> gathered{};
#pragma GCC unroll 4
              for (int k = 0; k < P * P; ++k) {
                const int64_t i =
                    (pixel + in_cell<P>(s, k)) * C + v * kLanes<T>;
                const Vec<T> w = load(u + i);
                acc1[v] += w;
                acc2[v] += w * ((load(x + i) - m[v]) * scale[v]);
                gathered = choice == broadcast(Index<T>(k)) ? w : gathered;
              }
              acc3[v] += gathered * load(gy + o);
            }
          },
          [&](int64_t pixel) {
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) {
              const int64_t i = pixel * C + v * kLanes<T>;
              const Vec<T> w = load(u + i);
              acc1[v] += w;
              acc2[v] += w * ((load(x + i) - m[v]) * scale[v]);
            }
          });
      x += s.h * s.w * C;
      u += s.h * s.w * C;
      index += outputs * C;
      gy += outputs * C;
    }
    add_to<T, V>(v1, acc1, weight[b]);
    add_to<T, V>(v2, acc2, weight[b]);
    add_to<T, V>(v3, acc3);
  }
}

// Per channel, what the double backward's second pass multiplies with.
template <typename T>
struct DoubleFactors {
  // to gy where live: g0 G(v) + g1 + g2 (p - m)
  T *g0, *g1, *g2;
  // to x: x0 v + x1 S(g) + x2 + x3 (x - m)
  T *x0, *x1, *x2, *x3;
};

template <typename T, int V, int P>
void double_images(const NormShape& s, const T* x, const T* p,
                   const uint8_t* index, const T* gy, const T* u, const T* mean,
                   const DoubleFactors<T>& f, const Weights<T>& weight,
                   int64_t c, T* to_gy, T* to_x, int64_t images) {
  const int64_t C = s.channels, outputs = s.h_out() * s.w_out();
  for (int64_t image = 0; image < images; ++image) {
    Vec<T> x0[V], x2[V], x3[V];
    for (int v = 0; v < V; ++v) {
      const int64_t l = c + v * kLanes<T>;
      x0[v] = load(f.x0 + l) * weight[image];
      x2[v] = load(f.x2 + l) * weight[image];
      x3[v] = load(f.x3 + l) * weight[image];
    }
    for_cells<P>(
        s,
        [&](int64_t out, int64_t pixel) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) {
            const int64_t l = c + v * kLanes<T>, o = out * C + l;
            const Mask<T> choice = load_index<T>(index + o);
            const Vec<T> m = load(mean + l);
            const Vec<T> g = load(gy + o) * load(f.x1 + l);
            Vec<T> gathered{};
#pragma GCC unroll 4
            for (int k = 0; k < P * P; ++k) {
              const int64_t i = (pixel + in_cell<P>(s, k)) * C + l;
              const Vec<T> w = load(u + i);
              const Mask<T> here = choice == broadcast(Index<T>(k));
              gathered = here ? w : gathered;
              store(to_x + i, x0[v] * w + (here ? g : Vec<T>{}) + x2[v] +
                                  x3[v] * (load(x + i) - m));
            }
            const Vec<T> q = load(f.g0 + l) * gathered + load(f.g1 + l) +
                             load(f.g2 + l) * (load(p + o) - m);
            store(to_gy + o, live<T>(q, choice));
          }
        },
        [&](int64_t pixel) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) {
            const int64_t l = c + v * kLanes<T>, i = pixel * C + l;
            store(to_x + i, x0[v] * load(u + i) + x2[v] +
                                x3[v] * (load(x + i) - load(mean + l)));
          }
        });
    x += s.h * s.w * C;
    u += s.h * s.w * C;
    to_x += s.h * s.w * C;
    p += outputs * C;
    index += outputs * C;
    gy += outputs * C;
    to_gy += outputs * C;
  }
}

}  // namespace

template <typename T>
bool norm_supported(int64_t channels) {
  return channels % kLanes<T> == 0;
}

template <typename T>
void norm_forward(const NormShape& s, const T* x, const NormGroups<T>& groups,
                  double eps, T* variance, const NormChoice<T>& choice, T* y) {
  const int64_t C = s.channels;
  // a = gamma r, made by finish.
  thread_local Scratch space;
  T* const scale = space.get<T>(s.tasks * C);
  in_phases<T, 2>(
      s,
      [&](int64_t t, int64_t first, int64_t last, double* sums) {
        if (!s.batch) return;
        // Subtracts the task's first pixel, so squares of a large mean do not
        // drown the variance.
        const T* const pivot = x + Offsets(s, t, 0).x;
        for_channel_blocks<T>(first, last, [&](auto vectors, int64_t c) {
          moment_sums<T, vectors()>(s, x + Offsets(s, t, 0).x + c, pivot + c,
                                    Weights<T>(s, groups, t, 0), s.n, sums + c,
                                    sums + C + c);
        });
      },
      [&](int64_t t, const double* sums) {
        const Offsets at(s, t, 0);
        const double per = share_of_mean(s, groups, t);
        for (int64_t c = 0; c < C; ++c) {
          const int64_t k = at.group + c;
          if (s.batch) {
            // max would turn NaN into 0.
            const double d = sums[c] * per;
            double var = sums[C + c] * per - d * d;
            if (var < 0) var = 0;
            groups.mean[k] = static_cast<T>(x[at.x + c] + d);
            variance[k] = static_cast<T>(var);
            groups.r[k] = static_cast<T>(1 / std::sqrt(var + eps));
          }
          scale[k] = groups.gamma[k] * groups.r[k];
        }
      },
      [&](int64_t t, int64_t first, int64_t last) {
        const Offsets at(s, t, first);
        with_pool(s, [&](auto pool) {
          for_channel_blocks<T>(0, C, [&](auto vectors, int64_t c) {
            const int64_t k = at.group + c;
            forward_images<T, vectors(), pool()>(
                s, x + at.x + c, groups.mean + k, scale + k, groups.beta + k,
                choice.p ? choice.p + at.y + c : nullptr,
                choice.index ? choice.index + at.y + c : nullptr, y + at.y + c,
                last - first);
          });
        });
      });
}

template <typename T>
void norm_backward(const NormShape& s, const T* x, const NormGroups<T>& groups,
                   const NormChoice<T>& choice, const T* gy, T* gx, T* s1,
                   T* s2) {
  const int64_t C = s.channels;
  thread_local Scratch space;
  T* const scale = space.get<T>(3 * s.tasks * C);
  T* const k0 = scale + s.tasks * C;
  T* const k1 = k0 + s.tasks * C;
  const T* const p = s.pool ? choice.p : x;
  in_phases<T, 2>(
      s,
      [&](int64_t t, int64_t first, int64_t last, double* sums) {
        const Offsets at(s, t, 0);
        for_channel_blocks<T>(first, last, [&](auto vectors, int64_t c) {
          backward_sums<T, vectors()>(s, p + at.y + c, choice.index + at.y + c,
                                      gy + at.y + c, groups.mean + at.group + c,
                                      groups.r + at.group + c, s.n, sums + c,
                                      sums + C + c);
        });
      },
      [&](int64_t t, const double* sums) {
        const double per = share_of_mean(s, groups, t);
        for (int64_t c = 0; c < C; ++c) {
          const int64_t k = t * C + c;
          const double r = groups.r[k], a = groups.gamma[k] * r;
          s1[k] = static_cast<T>(sums[c]);
          s2[k] = static_cast<T>(sums[C + c]);
          scale[k] = static_cast<T>(a);
          k0[k] = static_cast<T>(a * sums[c] * per);
          k1[k] = static_cast<T>(a * r * sums[C + c] * per);
        }
      },
      [&](int64_t t, int64_t first, int64_t last) {
        const Offsets at(s, t, first);
        with_pool(s, [&](auto pool) {
          for_channel_blocks<T>(0, C, [&](auto vectors, int64_t c) {
            const int64_t k = at.group + c;
            backward_images<T, vectors(), pool()>(
                s, x + at.x + c, choice.index + at.y + c, gy + at.y + c,
                groups.mean + k, scale + k, k0 + k, k1 + k,
                Weights<T>(s, groups, t, first), gx + at.x + c, last - first);
          });
        });
      });
}

template <typename T>
void norm_double_backward(const NormShape& s, const T* x,
                          const NormGroups<T>& groups,
                          const NormChoice<T>& choice, const T* gy, const T* s1,
                          const T* s2, const NormCotangents<T>& u, T* to_gy,
                          T* to_x, T* to_gamma) {
  const int64_t C = s.channels, all = s.tasks * C;
  thread_local Scratch space;
  T* const f = space.get<T>(7 * all);
  const DoubleFactors<T> factors{f,           f + all,     f + 2 * all,
                                 f + 3 * all, f + 4 * all, f + 5 * all,
                                 f + 6 * all};
  const T* const p = s.pool ? choice.p : x;
  in_phases<T, 3>(
      s,
      [&](int64_t t, int64_t first, int64_t last, double* sums) {
        const Offsets at(s, t, 0);
        with_pool(s, [&](auto pool) {
          for_channel_blocks<T>(first, last, [&](auto vectors, int64_t c) {
            double_sums<T, vectors(), pool()>(
                s, x + at.x + c, choice.index + at.y + c, gy + at.y + c,
                u.v + at.x + c, groups.mean + at.group + c,
                groups.r + at.group + c, Weights<T>(s, groups, t, 0), s.n,
                sums + c, sums + C + c, sums + 2 * C + c);
          });
        });
      },
      [&](int64_t t, const double* sums) {
        const double per = share_of_mean(s, groups, t);
        for (int64_t c = 0; c < C; ++c) {
          const int64_t k = t * C + c;
          const double gamma = groups.gamma[k], r = groups.r[k], a = gamma * r;
          const double v1 = sums[c], v2 = sums[C + c], v3 = sums[2 * C + c];
          const double sum1 = s1[k], sum2 = s2[k];
          const double K = v3 - (sum1 * v1 + sum2 * v2) * per;
          const double of_v = -a * sum2 * per;            // q = of_v v
          const double of_g = u.gamma[k] - a * v2 * per;  //  + S(of_g g)
          const double mean_q = (of_v * v1 + of_g * sum1) * per;
          const double mean_qx = (of_v * v2 + of_g * sum2) * per;
          to_gamma[k] = static_cast<T>(r * K);
          factors.g0[k] = static_cast<T>(a);
          factors.g1[k] = static_cast<T>(u.beta[k] - a * v1 * per);
          factors.g2[k] = static_cast<T>(of_g * r);
          factors.x0[k] = static_cast<T>(r * of_v);
          factors.x1[k] = static_cast<T>(r * of_g);
          factors.x2[k] = static_cast<T>(-r * mean_q);
          factors.x3[k] =
              static_cast<T>(-r * r * (mean_qx + gamma * r * K * per));
        }
      },
      [&](int64_t t, int64_t first, int64_t last) {
        const Offsets at(s, t, first);
        DoubleFactors<T> own = factors;
        for (T** q :
             {&own.g0, &own.g1, &own.g2, &own.x0, &own.x1, &own.x2, &own.x3})
          *q += at.group;
        with_pool(s, [&](auto pool) {
          for_channel_blocks<T>(0, C, [&](auto vectors, int64_t c) {
            double_images<T, vectors(), pool()>(
                s, x + at.x, p + at.y, choice.index + at.y, gy + at.y,
                u.v + at.x, groups.mean + at.group, own,
                Weights<T>(s, groups, t, first), c, to_gy + at.y, to_x + at.x,
                last - first);
          });
        });
      });
}

#define PROTEAN_INSTANTIATE(T)                                                \
  template bool norm_supported<T>(int64_t);                                   \
  template void norm_forward<T>(const NormShape&, const T*,                   \
                                const NormGroups<T>&, double, T*,             \
                                const NormChoice<T>&, T*);                    \
  template void norm_backward<T>(const NormShape&, const T*,                  \
                                 const NormGroups<T>&, const NormChoice<T>&,  \
                                 const T*, T*, T*, T*);                       \
  template void norm_double_backward<T>(                                      \
      const NormShape&, const T*, const NormGroups<T>&, const NormChoice<T>&, \
      const T*, const T*, const T*, const NormCotangents<T>&, T*, T*, T*);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
