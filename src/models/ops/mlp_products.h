// Products of small matrices as the fused MLP has them, and what turns, cuts
// and adds around them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/ops/conv_tiles.h"
#include "models/ops/mlp_kernels.h"

namespace protean::ops::kernels {

// Inside the kernels activations stand upright: a row per feature, a column per
// example, columns padded to whole vectors. Then every product takes a
// parameter matrix as it lies in memory, one element at a time, and nothing has
// to be packed or turned but activations, which are small.
//
// Columns beyond the examples: zero in deltas, anything in activations. They
// meet only in each other's columns, so nothing of them comes out.

template <typename T>
int64_t mlp_padded(int64_t width) {
  constexpr int L = kLanes<T>;
  return (width + L - 1) / L * L;
}

// (rows, width) -> (width, padded rows), zero beyond the rows.
template <typename T>
void turn_in(const T* from, int64_t rows, int64_t width, T* to) {
  const int64_t ld = mlp_padded<T>(rows);
  for (int64_t c = 0; c < width; ++c, to += ld) {
    for (int64_t i = 0; i < rows; ++i) to[i] = from[i * width + c];
    std::fill(to + rows, to + ld, T(0));
  }
}

template <typename T>
void turn_out(const T* from, int64_t rows, int64_t width, T* to) {
  const int64_t ld = mlp_padded<T>(rows);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t c = 0; c < width; ++c) to[i * width + c] = from[c * ld + i];
}

// (rows, width) -> (rows, padded width), zero beyond the width.
template <typename T>
void load_rows(const T* from, int64_t rows, int64_t width, T* to) {
  const int64_t ld = mlp_padded<T>(width);
  for (int64_t i = 0; i < rows; ++i, from += width, to += ld) {
    std::copy_n(from, width, to);
    std::fill(to + width, to + ld, T(0));
  }
}

template <typename T>
void store_rows(const T* from, int64_t rows, int64_t width, T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld = mlp_padded<T>(width), end = rows * width;
  for (int64_t i = 0; i < rows; ++i, from += ld, to += width) {
    // What goes beyond a row's end, the next row overwrites.
    int64_t c = 0;
    for (; c < width && i * width + c + L <= end; c += L)
      simd::store(to + c, simd::load(from + c));
    for (; c < width; ++c) to[c] = from[c];
  }
}

// to = p - lr g: g padded, p and to (rows, width).
template <typename T>
void store_step(const T* g, const T* p, T lr, int64_t rows, int64_t width,
                T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld = mlp_padded<T>(width), end = rows * width;
  for (int64_t i = 0; i < rows; ++i, g += ld, p += width, to += width) {
    int64_t c = 0;
    for (; c < width && i * width + c + L <= end; c += L)
      simd::store(to + c, simd::load(p + c) - simd::load(g + c) * lr);
    for (; c < width; ++c) to[c] = p[c] - lr * g[c];
  }
}

// (rows, width) -> its transpose, both padded in both directions.
template <typename T>
void transpose(const T* from, int64_t rows, int64_t width, T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld_from = mlp_padded<T>(width), ld_to = mlp_padded<T>(rows);
  for (int64_t i = 0; i < ld_to; i += L)
    for (int64_t j = 0; j < ld_from; j += L)
      transpose_square<T>([&](int k) { return from + (i + k) * ld_from + j; },
                          [&](int k) { return to + (j + k) * ld_to + i; });
}

// A product a b: element (row, k) of a is a[row * step_row + k * step_k]; b is
// (depth, padded columns).
template <typename T>
struct Term {
  const T* a = nullptr;  // null: no such term
  int64_t step_row = 0, step_k = 0;
  const T* b = nullptr;
};
template <typename T>
Term<T> upright(const T* a, int64_t width, const T* b) {
  return {a, width, 1, b};
}
template <typename T>
Term<T> turned(const T* a, int64_t width, const T* b) {
  return {a, 1, width, b};
}

constexpr int kMostTerms = 2;
template <typename T>
struct Terms {
  Term<T> term[kMostTerms];
  int count = 0;
  void add(const Term<T>& t) {
    if (t.a) term[count++] = t;
  }
};

template <typename T, int R, int N>
void product_tile(const Terms<T>& terms, int64_t row, int64_t depth, int64_t ld,
                  int64_t column, T* out) {
  Vec<T> acc[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v) acc[r][v] = Vec<T>{};
  for (int t = 0; t < terms.count; ++t) {
    const auto& term = terms.term[t];
    const T* a = term.a + row * term.step_row;
    const T* b = term.b + column;
    const int64_t step_row = term.step_row, step_k = term.step_k;
    for (int64_t k = 0; k < depth; ++k, a += step_k, b += ld) {
      Vec<T> x[N];
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) x[v] = simd::load(b + v * kLanes<T>);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec<T> y = simd::broadcast(a[r * step_row]);
#pragma GCC unroll 8
        for (int v = 0; v < N; ++v) acc[r][v] += y * x[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      simd::store(out + (row + r) * ld + column + v * kLanes<T>, acc[r][v]);
}

// out (rows, padded columns) = the sum of the terms' products.
template <typename T>
void product(int64_t rows, int64_t depth, int64_t columns,
             std::initializer_list<Term<T>> all, T* out) {
  const int64_t ld = mlp_padded<T>(columns);
  Terms<T> terms;
  for (const auto& t : all) terms.add(t);
  if (terms.count == 0) {
    std::fill_n(out, rows * ld, T(0));
    return;
  }
  constexpr int R = 8;
  auto block = [&]<int N>(std::integral_constant<int, N>, int64_t column) {
    int64_t row = 0;
    for (; row + R <= rows; row += R)
      product_tile<T, R, N>(terms, row, depth, ld, column, out);
    for (; row < rows; ++row)
      product_tile<T, 1, N>(terms, row, depth, ld, column, out);
  };
  constexpr int kMost = simd::kRegisters >= 32 ? 3 : 1;
  int64_t c = 0;
  if constexpr (kMost == 3)
    for (; c + 3 * kLanes<T> <= ld; c += 3 * kLanes<T>)
      block(std::integral_constant<int, 3>(), c);
  for (; c < ld; c += kLanes<T>) block(std::integral_constant<int, 1>(), c);
}

// z = relu(z + b), or z + b.
template <typename T>
void add_bias(int64_t rows, int64_t ld, const T* b, bool relu, T* z) {
  const Vec<T> zero{};
  for (int64_t r = 0; r < rows; ++r, z += ld) {
    const Vec<T> bias = simd::broadcast(b[r]);
    for (int64_t c = 0; c < ld; c += kLanes<T>) {
      const Vec<T> v = simd::load(z + c) + bias;
      // NaN is not below zero, so it stays visible.
      simd::store(z + c, relu ? (v <= zero ? zero : v) : v);
    }
  }
}

// m where h > 0, else 0. NaN in h cuts nothing.
template <typename T>
void cut(int64_t size, const T* h, T* m) {
  const Vec<T> zero{};
  for (int64_t i = 0; i < size; i += kLanes<T>) {
    const Vec<T> v = simd::load(m + i);
    simd::store(m + i, simd::load(h + i) <= zero ? zero : v);
  }
}

// The sum of each row's first n.
template <typename T>
void sum_columns(int64_t rows, int64_t n, const T* m, T* sum) {
  const int64_t ld = mlp_padded<T>(n);
  for (int64_t r = 0; r < rows; ++r, m += ld) {
    T acc = 0;
    for (int64_t i = 0; i < n; ++i) acc += m[i];
    sum[r] = acc;
  }
}

}  // namespace protean::ops::kernels
