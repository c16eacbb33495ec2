// Register tiles: the inner loops that all convolution kernels share.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "models/ops/simd.h"

namespace protean::ops::kernels {

using simd::kLanes;
using simd::Vec;

// A tile accumulates R rows by N vectors of columns. More vectors per row would
// leave too few registers for rows.
constexpr int kMaxVectors = simd::kRegisters >= 32 ? 4 : 2;
constexpr int max_rows(int vectors) {
  if (simd::kRegisters >= 32) return vectors == 4 ? 6 : 8;
  return vectors == 2 ? 5 : 8;
}

// The products of up to nine taps, added up: for every row r of a tile
//   out[r][c] = sum over taps t, k < depth of in[t][row[r] + k] * w[t][k][c].
template <typename T>
struct Taps {
  int count = 0;
  const T* in[9];
  const T* w[9];  // (depth, columns), row stride ldw
  int64_t depth = 0, ldw = 0;

  void add(const T* from, const T* weights) {
    in[count] = from;
    w[count++] = weights;
  }
};

template <typename T, int R, int N>
void rows_tile(const Taps<T>& taps, int64_t column, const int64_t* row,
               T* const* out) {
  Vec<T> acc[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v) acc[r][v] = Vec<T>{};
  const int64_t depth = taps.depth, ldw = taps.ldw;
  for (int t = 0; t < taps.count; ++t) {
    const T* a[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) a[r] = taps.in[t] + row[r];
    const T* w = taps.w[t] + column;
    for (int64_t k = 0; k < depth; ++k, w += ldw) {
      Vec<T> b[N];
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) b[v] = simd::load(w + v * kLanes<T>);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec<T> x = simd::broadcast(a[r][k]);
#pragma GCC unroll 8
        for (int v = 0; v < N; ++v) acc[r][v] += x * b[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      simd::store(out[r] + column + v * kLanes<T>, acc[r][v]);
}

// Runs f(begin, vectors) over columns [0, count), count a multiple of the
// lanes, in blocks of at most kMaxVectors vectors.
template <typename T, typename F>
void for_column_blocks(int64_t count, F f) {
  for (int64_t c = 0; c < count; c += kMaxVectors * kLanes<T>)
    f(c, static_cast<int>(
             std::min<int64_t>(kMaxVectors, (count - c) / kLanes<T>)));
}

// Runs f(begin, rows) over [0, count) in tiles of nearly equal height.
template <typename F>
void for_row_tiles(int64_t count, int most, F f) {
  const int64_t tiles = (count + most - 1) / most;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t begin = count * i / tiles, end = count * (i + 1) / tiles;
    f(begin, static_cast<int>(end - begin));
  }
}

template <typename T>
using RowsTile = void (*)(const Taps<T>&, int64_t, const int64_t*, T* const*);

template <typename T>
RowsTile<T> rows_tile_of(int rows, int vectors) {
  static const auto table = []<int... I>(std::integer_sequence<int, I...>) {
    // Sizes beyond the registers are never asked for.
    return std::array<RowsTile<T>, 8 * kMaxVectors>{
        rows_tile<T,
                  std::min(I / kMaxVectors + 1, max_rows(I % kMaxVectors + 1)),
                  I % kMaxVectors + 1>...};
  }
  (std::make_integer_sequence<int, 8 * kMaxVectors>());
  return table[(rows - 1) * kMaxVectors + vectors - 1];
}

// out[i][c] (+)= sum over k < depth of a[ka[k] + i] * b[kb[k] + c], i < R: the
// outer products of rows, for gradients of weights. out has row stride ld; add:
// to what it holds.
template <typename T, int R, int N>
void outer_tile(int64_t depth, const T* a, const int32_t* ka, const T* b,
                const int32_t* kb, bool add, T* out, int64_t ld) {
  Vec<T> acc[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      acc[r][v] = add ? simd::load(out + r * ld + v * kLanes<T>) : Vec<T>{};
  for (int64_t k = 0; k < depth; ++k) {
    const T* x = a + ka[k];
    const T* y = b + kb[k];
    Vec<T> yv[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v) yv[v] = simd::load(y + v * kLanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec<T> xv = simd::broadcast(x[r]);
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) acc[r][v] += xv * yv[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      simd::store(out + r * ld + v * kLanes<T>, acc[r][v]);
}

// Columns [first, last) of the (rows, ld) matrix out (+)= a^T b over a list of
// row pairs; both are multiples of the lanes.
template <typename T>
void outer_products(int64_t depth, const T* a, const int32_t* ka, int64_t rows,
                    const T* b, const int32_t* kb, int64_t first, int64_t last,
                    int64_t ld, bool add, T* out) {
  constexpr int R = simd::kRegisters >= 32 ? 8 : 4;
  auto column = [&]<int N>(std::integral_constant<int, N>, int64_t c) {
    T* const o = out + c;
    int64_t r = 0;
    for (; r + R <= rows; r += R)
      outer_tile<T, R, N>(depth, a + r, ka, b + c, kb, add, o + r * ld, ld);
    for (; r < rows; ++r)
      outer_tile<T, 1, N>(depth, a + r, ka, b + c, kb, add, o + r * ld, ld);
  };
  constexpr int64_t kPair = 2 * kLanes<T>;
  int64_t c = first;
  for (; c + kPair <= last; c += kPair)
    column(std::integral_constant<int, 2>(), c);
  for (; c < last; c += kLanes<T>) column(std::integral_constant<int, 1>(), c);
}

// Transposes a square of kLanes rows: reads source(i), writes target(i).
template <typename T, typename Source, typename Target>
PROTEAN_INLINE void transpose_square(Source source, Target target) {
  constexpr int L = kLanes<T>;
#if defined(__clang__)  // whose shuffles want constants: left to its optimiser
  T square[L][L];
  for (int i = 0; i < L; ++i)
    for (int j = 0; j < L; ++j) square[j][i] = source(i)[j];
  for (int i = 0; i < L; ++i) simd::store(target(i), simd::load(square[i]));
#else
  using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  Vec<T> v[L];
#pragma GCC unroll 16
  for (int i = 0; i < L; ++i) v[i] = simd::load(source(i));
    // Swaps blocks of s lanes, s = 1, 2, 4, ...
#pragma GCC unroll 4
  for (int s = 1; s < L; s *= 2) {
    Vec<Index> low, high;
    for (int i = 0; i < L; ++i) {
      low[i] = i & s ? L + i - s : i;
      high[i] = i & s ? L + i : i + s;
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i)
      if (!(i & s)) {
        const Vec<T> a = v[i], b = v[i + s];
        v[i] = __builtin_shuffle(a, b, low);
        v[i + s] = __builtin_shuffle(a, b, high);
      }
  }
#pragma GCC unroll 16
  for (int i = 0; i < L; ++i) simd::store(target(i), v[i]);
#endif
}

}  // namespace protean::ops::kernels
