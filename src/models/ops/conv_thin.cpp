#include <vector>

#include "models/ops/conv_parts.h"
#include "models/ops/conv_tiles.h"
#include "models/ops/scratch.h"

namespace protean::ops::kernels {

namespace {

// Copies one image into the middle of a buffer with a frame of zeros.
template <typename T>
void frame(const ConvShape& s, const T* image, T* framed) {
  const int64_t row = s.w * s.in, pitch = (s.w + 2) * s.in;
  std::fill_n(framed, pitch, T(0));
  for (int64_t i = 0; i < s.h; ++i) {
    T* to = framed + (i + 1) * pitch;
    std::fill_n(to, s.in, T(0));
    std::copy_n(image + i * row, row, to + s.in);
    std::fill_n(to + s.in + row, s.in, T(0));
  }
  std::fill_n(framed + (s.h + 1) * pitch, pitch, T(0));
}

template <typename T>
int64_t framed_size(const ConvShape& s) {
  return (s.h + 2) * (s.w + 2) * s.in;
}

}  // namespace

// One row of three taps is one run of 3 * in values of the framed image.
template <typename T>
void thin_forward(const ConvShape& s, const T* x, const T* packed,
                  int64_t first, int64_t last, T* y) {
  thread_local Scratch space;
  T* const framed = space.get<T>(framed_size<T>(s));
  const int64_t pitch = (s.w + 2) * s.in, ho = s.h_out(), wo = s.w_out();
  Taps<T> taps;
  taps.depth = 3 * s.in;
  taps.ldw = s.out;
  for (int t = 0; t < 3; ++t)
    taps.add(framed + t * pitch, packed + t * taps.depth * s.out);
  for (int64_t b = first; b < last; ++b) {
    frame(s, x + b * s.h * s.w * s.in, framed);
    T* const image = y + b * ho * wo * s.out;
    for_column_blocks<T>(s.out, [&](int64_t column, int vectors) {
      for_row_tiles(ho * wo, max_rows(vectors), [&](int64_t begin, int rows) {
        int64_t a[8];
        T* o[8];
        for (int r = 0; r < rows; ++r) {
          const int64_t i = (begin + r) / wo, j = (begin + r) % wo;
          a[r] = s.stride * (i * pitch + j * s.in);
          o[r] = image + (begin + r) * s.out;
        }
        rows_tile_of<T>(rows, vectors)(taps, column, a, o);
      });
    });
  }
}

namespace {

// The nine taps of one input channel by N vectors of output channels, summed
// over one image. gw: (9, in, out) from that channel on.
template <typename T, int N>
void thin_sums(const ConvShape& s, const T* framed, const T* gy, T* gw) {
  const int64_t pitch = (s.w + 2) * s.in, ho = s.h_out(), wo = s.w_out();
  const int64_t ld = s.in * s.out, in = s.in, step = s.stride * s.in;
  Vec<T> acc[9][N];
#pragma GCC unroll 16
  for (int t = 0; t < 9; ++t)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      acc[t][v] = simd::load(gw + t * ld + v * kLanes<T>);
  for (int64_t i = 0; i < ho; ++i) {
    const T* x = framed + s.stride * i * pitch;
    for (int64_t j = 0; j < wo; ++j, x += step, gy += s.out) {
      Vec<T> g[N];
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) g[v] = simd::load(gy + v * kLanes<T>);
#pragma GCC unroll 16
      for (int t = 0; t < 9; ++t) {
        const Vec<T> xv = simd::broadcast(x[t / 3 * pitch + t % 3 * in]);
#pragma GCC unroll 8
        for (int v = 0; v < N; ++v) acc[t][v] += xv * g[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < 9; ++t)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      simd::store(gw + t * ld + v * kLanes<T>, acc[t][v]);
}

}  // namespace

template <typename T>
void thin_weight_gradient(const ConvShape& s, const T* x, const T* gy,
                          int64_t first, int64_t last, T* gw) {
  constexpr int N = simd::kRegisters >= 32 ? 2 : 1;
  thread_local Scratch space;
  T* const framed = space.get<T>(framed_size<T>(s));
  const int64_t pixels = s.h_out() * s.w_out();
  for (int64_t b = 0; b < s.n; ++b) {
    frame(s, x + b * s.h * s.w * s.in, framed);
    const T* image = gy + b * pixels * s.out;
    for (int64_t k = 0; k < s.in; ++k) {
      int64_t c = first;
      for (; c + N * kLanes<T> <= last; c += N * kLanes<T>)
        thin_sums<T, N>(s, framed + k, image + c, gw + k * s.out + c);
      for (; c < last; c += kLanes<T>)
        thin_sums<T, 1>(s, framed + k, image + c, gw + k * s.out + c);
    }
  }
}

#define PROTEAN_INSTANTIATE(T)                                                 \
  template void thin_forward<T>(const ConvShape&, const T*, const T*, int64_t, \
                                int64_t, T*);                                  \
  template void thin_weight_gradient<T>(const ConvShape&, const T*, const T*,  \
                                        int64_t, int64_t, T*);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
