#include <vector>

#include "models/ops/conv_parts.h"
#include "models/ops/conv_tiles.h"
#include "models/ops/scratch.h"

namespace protean::ops::kernels {

namespace {

// Tiles per pass: transformed tiles and weights then fit in the second cache.
constexpr int64_t kTiles = 24;

// Where the 16 (or 4) pixels of a tile lie; outside the image: zeros.
struct Tiling {
  int64_t h, w, rows, columns, channels;

  Tiling(int64_t h, int64_t w, int64_t channels)
      : h(h),
        w(w),
        rows((h + 1) / 2),
        columns((w + 1) / 2),
        channels(channels) {}
  int64_t per_image() const { return rows * columns; }

  // Pixels (2i + from.., 2j + from..) of a size x size patch.
  template <int Size, typename T>
  void patch(T* images, int64_t tile, int from, T* outside, T** p) const {
    T* image = images + tile / per_image() * h * w * channels;
    const int64_t i = tile % per_image() / columns * 2 + from;
    const int64_t j = tile % columns * 2 + from;
    for (int a = 0; a < Size; ++a)
      for (int b = 0; b < Size; ++b)
        p[a * Size + b] = i + a < 0 || i + a >= h || j + b < 0 || j + b >= w
                              ? outside
                              : image + ((i + a) * w + j + b) * channels;
  }
};

// B^T d B of 4x4 tiles: v (16, tiles, channels).
template <typename T>
void transform_input(const Tiling& g, const T* x, int64_t tile, int64_t count,
                     const T* zeros, T* v) {
  const int64_t stride = count * g.channels;
  for (int64_t b = 0; b < count; ++b) {
    const T* p[16];
    g.patch<4>(x, tile + b, -1, zeros, p);
    T* out = v + b * g.channels;
    for (int64_t c = 0; c < g.channels; c += kLanes<T>) {
      Vec<T> t[16];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const Vec<T> d0 = simd::load(p[j] + c), d1 = simd::load(p[4 + j] + c),
                     d2 = simd::load(p[8 + j] + c),
                     d3 = simd::load(p[12 + j] + c);
        t[j] = d0 - d2;
        t[4 + j] = d1 + d2;
        t[8 + j] = d2 - d1;
        t[12 + j] = d1 - d3;
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const Vec<T>* r = t + 4 * i;
        T* o = out + 4 * i * stride + c;
        simd::store(o, r[0] - r[2]);
        simd::store(o + stride, r[1] + r[2]);
        simd::store(o + 2 * stride, r[2] - r[1]);
        simd::store(o + 3 * stride, r[1] - r[3]);
      }
    }
  }
}

// A^T m A of (16, tiles, channels): the 2x2 results of every tile.
template <typename T>
void transform_output(const Tiling& g, const T* m, int64_t tile, int64_t count,
                      T* nowhere, T* y) {
  const int64_t stride = count * g.channels;
  for (int64_t b = 0; b < count; ++b) {
    T* p[4];
    g.patch<2>(y, tile + b, 0, nowhere, p);
    const T* in = m + b * g.channels;
    for (int64_t c = 0; c < g.channels; c += kLanes<T>) {
      Vec<T> t[8];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const T* q = in + j * stride + c;
        const Vec<T> m0 = simd::load(q), m1 = simd::load(q + 4 * stride),
                     m2 = simd::load(q + 8 * stride),
                     m3 = simd::load(q + 12 * stride);
        t[j] = m0 + m1 + m2;
        t[4 + j] = m1 - m2 - m3;
      }
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        const Vec<T>* r = t + 4 * i;
        simd::store(p[2 * i] + c, r[0] + r[1] + r[2]);
        simd::store(p[2 * i + 1] + c, r[1] - r[2] - r[3]);
      }
    }
  }
}

// A g A^T of 2x2 tiles, channels [first, last): z (16, tiles, channels).
template <typename T>
void transform_gradient(const Tiling& g, const T* gy, int64_t tile,
                        int64_t count, int64_t first, int64_t last,
                        const T* zeros, T* z) {
  const int64_t stride = count * g.channels;
  for (int64_t b = 0; b < count; ++b) {
    const T* p[4];
    g.patch<2>(gy, tile + b, 0, zeros, p);
    T* out = z + b * g.channels;
    for (int64_t c = first; c < last; c += kLanes<T>) {
      Vec<T> t[8];
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        const Vec<T> g0 = simd::load(p[j] + c), g1 = simd::load(p[2 + j] + c);
        t[j] = g0;
        t[2 + j] = g0 + g1;
        t[4 + j] = g0 - g1;
        t[6 + j] = -g1;
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const Vec<T> r0 = t[2 * i], r1 = t[2 * i + 1];
        T* o = out + 4 * i * stride + c;
        simd::store(o, r0);
        simd::store(o + stride, r0 + r1);
        simd::store(o + 2 * stride, r0 - r1);
        simd::store(o + 3 * stride, -r1);
      }
    }
  }
}

}  // namespace

template <typename T>
void winograd_weights(int64_t in, int64_t out, const T* packed, T* u) {
  const int64_t size = in * out;
  const Vec<T> half = simd::broadcast(T(0.5));
  for (int64_t c = 0; c < size; c += kLanes<T>) {
    Vec<T> t[12];  // G g
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j) {
      const Vec<T> g0 = simd::load(packed + j * size + c),
                   g1 = simd::load(packed + (3 + j) * size + c),
                   g2 = simd::load(packed + (6 + j) * size + c);
      const Vec<T> outer = half * (g0 + g2), inner = half * g1;
      t[j] = g0;
      t[3 + j] = outer + inner;
      t[6 + j] = outer - inner;
      t[9 + j] = g2;
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const Vec<T>* r = t + 3 * i;
      const Vec<T> outer = half * (r[0] + r[2]), inner = half * r[1];
      T* o = u + 4 * i * size + c;
      simd::store(o, r[0]);
      simd::store(o + size, outer + inner);
      simd::store(o + 2 * size, outer - inner);
      simd::store(o + 3 * size, r[2]);
    }
  }
}

template <typename T>
void winograd_gradient(int64_t in, int64_t out, const T* m, T* gw) {
  const int64_t size = in * out;
  const Vec<T> half = simd::broadcast(T(0.5));
  for (int64_t c = 0; c < size; c += kLanes<T>) {
    Vec<T> t[12];  // G^T m
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const T* q = m + j * size + c;
      const Vec<T> m0 = simd::load(q), m1 = simd::load(q + 4 * size),
                   m2 = simd::load(q + 8 * size),
                   m3 = simd::load(q + 12 * size);
      const Vec<T> sum = half * (m1 + m2);
      t[j] = m0 + sum;
      t[4 + j] = half * (m1 - m2);
      t[8 + j] = sum + m3;
    }
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      const Vec<T>* r = t + 4 * i;
      const Vec<T> sum = half * (r[1] + r[2]);
      T* o = gw + 3 * i * size + c;
      simd::store(o, r[0] + sum);
      simd::store(o + size, half * (r[1] - r[2]));
      simd::store(o + 2 * size, sum + r[3]);
    }
  }
}

template <typename T>
void winograd_forward(const ConvShape& s, const T* x, const T* u, int64_t first,
                      int64_t last, T* y) {
  const Tiling gx(s.h, s.w, s.in), gy(s.h, s.w, s.out);
  thread_local Scratch space;
  const int64_t most = std::max(s.in, s.out);
  T* const outside = space.get<T>(most + 16 * kTiles * (s.in + s.out));
  T* const v = outside + most;
  T* const m = v + 16 * kTiles * s.in;
  const int64_t end = last * gx.per_image();
  for (int64_t tile = first * gx.per_image(); tile < end; tile += kTiles) {
    const int64_t count = std::min(kTiles, end - tile);
    std::fill_n(outside, s.in, T(0));
    transform_input(gx, x, tile, count, outside, v);
    for (int xi = 0; xi < 16; ++xi) {
      Taps<T> taps;
      taps.add(v + xi * count * s.in, u + xi * s.in * s.out);
      taps.depth = s.in;
      taps.ldw = s.out;
      for_column_blocks<T>(s.out, [&](int64_t column, int vectors) {
        for_row_tiles(count, max_rows(vectors), [&](int64_t begin, int rows) {
          int64_t a[8];
          T* o[8];
          for (int r = 0; r < rows; ++r) {
            a[r] = (begin + r) * s.in;
            o[r] = m + (xi * count + begin + r) * s.out;
          }
          rows_tile_of<T>(rows, vectors)(taps, column, a, o);
        });
      });
    }
    transform_output(gy, m, tile, count, outside, y);
  }
}

template <typename T>
void winograd_products(const ConvShape& s, const T* x, const T* gy,
                       int64_t first, int64_t last, T* m) {
  const Tiling g_in(s.h, s.w, s.in), g_out(s.h, s.w, s.out);
  thread_local Scratch space;
  const int64_t most = std::max(s.in, s.out);
  T* const zeros = space.get<T>(most + 16 * kTiles * (s.in + s.out));
  T* const v = zeros + most;
  T* const z = v + 16 * kTiles * s.in;
  std::fill_n(zeros, most, T(0));
  std::vector<int32_t> kv(kTiles), kz(kTiles);
  for (int64_t k = 0; k < kTiles; ++k) {
    kv[k] = static_cast<int32_t>(k * s.in);
    kz[k] = static_cast<int32_t>(k * s.out);
  }
  const int64_t end = s.n * g_in.per_image();
  for (int64_t tile = 0; tile < end; tile += kTiles) {
    const int64_t count = std::min(kTiles, end - tile);
    transform_input(g_in, x, tile, count, zeros, v);
    transform_gradient(g_out, gy, tile, count, first, last, zeros, z);
    for (int xi = 0; xi < 16; ++xi)
      outer_products<T>(count, v + xi * count * s.in, kv.data(), s.in,
                        z + xi * count * s.out, kz.data(), first, last, s.out,
                        /*add=*/true, m + xi * s.in * s.out);
  }
}

#define PROTEAN_INSTANTIATE(T)                                             \
  template void winograd_weights<T>(int64_t, int64_t, const T*, T*);       \
  template void winograd_gradient<T>(int64_t, int64_t, const T*, T*);      \
  template void winograd_forward<T>(const ConvShape&, const T*, const T*,  \
                                    int64_t, int64_t, T*);                 \
  template void winograd_products<T>(const ConvShape&, const T*, const T*, \
                                     int64_t, int64_t, T*);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
