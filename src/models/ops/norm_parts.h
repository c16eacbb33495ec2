// What the passes of norm, ReLU and pooling in one share: blocks of channels,
// cells of pixels, weights of images, and the phases of a sum over a task.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "models/ops/norm_kernels.h"
#include "models/ops/pieces.h"
#include "models/ops/scratch.h"
#include "models/ops/simd.h"

namespace protean::ops::kernels {

using simd::broadcast;
using simd::kLanes;
using simd::load;
using simd::store;
using simd::Vec;

template <typename T>
using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
template <typename T>
using Mask = Vec<Index<T>>;

template <typename T>
struct ByteTypes {
  typedef uint8_t type
      __attribute__((vector_size(kLanes<T>), aligned(1), may_alias));
};

template <typename T>
PROTEAN_INLINE Mask<T> load_index(const uint8_t* p) {
  return __builtin_convertvector(
      *reinterpret_cast<const typename ByteTypes<T>::type*>(p), Mask<T>);
}

template <typename T>
PROTEAN_INLINE void store_index(uint8_t* p, Mask<T> v) {
  using Bytes = typename ByteTypes<T>::type;
  *reinterpret_cast<Bytes*>(p) = __builtin_convertvector(v, Bytes);
}

// Runs f(integral constant vectors, first channel) over blocks of channels
// [first, last). A block's running sums fit in registers and its channels lie
// side by side.
template <typename T, typename F>
void for_channel_blocks(int64_t first, int64_t last, F f) {
  constexpr int kMost = simd::kRegisters >= 32 ? 4 : 2;
  constexpr int L = kLanes<T>;
  int64_t c = first;
  for (; c + kMost * L <= last; c += kMost * L)
    f(std::integral_constant<int, kMost>(), c);
  if constexpr (kMost > 2)
    for (; c + 2 * L <= last; c += 2 * L)
      f(std::integral_constant<int, 2>(), c);
  for (; c < last; c += L) f(std::integral_constant<int, 1>(), c);
}

// Visits an image: cell(output, pixel) for every output with the first of its
// pixels, rest(pixel) for the pixels of odd sides that no output covers.
template <int P, typename Cell, typename Rest>
PROTEAN_INLINE void for_cells(const NormShape& s, Cell cell, Rest rest) {
  if constexpr (P == 1) {
    for (int64_t i = 0; i < s.h * s.w; ++i) cell(i, i);
  } else {
    const int64_t ho = s.h / 2, wo = s.w / 2;
    int64_t out = 0;
    for (int64_t i = 0; i < ho; ++i) {
      for (int64_t j = 0; j < wo; ++j) cell(out++, 2 * i * s.w + 2 * j);
      if (s.w % 2) {
        rest(2 * i * s.w + s.w - 1);
        rest((2 * i + 1) * s.w + s.w - 1);
      }
    }
    if (s.h % 2)
      for (int64_t j = 0; j < s.w; ++j) rest((s.h - 1) * s.w + j);
  }
}

// Offset of pixel k of a cell from its first, in pixels.
template <int P>
PROTEAN_INLINE int64_t in_cell(const NormShape& s, int k) {
  return k / P * s.w + k % P;
}

// Images whose float sums are gathered before they go into the double ones.
inline int64_t images_per_sum(int64_t pixels) {
  return std::max<int64_t>(1, 256 / pixels);
}

template <typename T, int V>
PROTEAN_INLINE void add_to(double* sums, const Vec<T> (&acc)[V],
                           double weight = 1) {
  for (int v = 0; v < V; ++v)
    for (int l = 0; l < kLanes<T>; ++l)
      sums[v * kLanes<T> + l] += weight * acc[v][l];
}

// The weights of some images of a task, all 1 unless given.
template <typename T>
class Weights {
 public:
  Weights(const NormShape& s, const NormGroups<T>& g, int64_t task,
          int64_t first)
      : data_(g.weight ? g.weight + task * s.n + first : nullptr) {}
  T operator[](int64_t image) const { return data_ ? data_[image] : T(1); }
  // Images with weights are summed one by one.
  bool all_one() const { return !data_; }

 private:
  const T* data_;
};

// One value's share of a mean over a task's images, 1/N.
template <typename T>
double share_of_mean(const NormShape& s, const NormGroups<T>& g, int64_t task) {
  if (!s.batch) return 0;
  double images = s.n;
  if (g.weight) {
    images = 0;
    for (int64_t b = 0; b < s.n; ++b) images += g.weight[task * s.n + b];
  }
  return 1 / (images * s.h * s.w);
}

// Phases of one op: reduce(task, first, last, sums) adds K sums per channel
// over a task's images for some channels, finish(task, sums) sees them all,
// apply(task, first, last) then uses what finish made of them for some images.
template <typename T, int K, typename Reduce, typename Finish, typename Apply>
void in_phases(const NormShape& s, Reduce reduce, Finish finish, Apply apply) {
  const int64_t size = K * s.channels;
  const Pieces images(s.tasks, s.n);
  if (images.whole()) {
    images.for_tasks_backwards([&](int64_t t) {
      thread_local Scratch space;
      double* const sums = space.get<double>(size);
      std::fill_n(sums, size, 0.0);
      reduce(t, 0, s.channels, sums);
      finish(t, sums);
      apply(t, 0, s.n);
    });
    return;
  }
  thread_local Scratch space;
  double* const sums = space.get<double>(size * s.tasks);
  std::fill_n(sums, size * s.tasks, 0.0);
  constexpr int L = kLanes<T>;
  const Pieces channels(s.tasks, s.channels / L);
  channels.for_all([&](int64_t t, int64_t first, int64_t last) {
    reduce(t, first * L, last * L, sums + t * size);
  });
  for (int64_t t = 0; t < s.tasks; ++t) finish(t, sums + t * size);
  images.for_all(apply);
}

// Runs f(1) without and f(2) with pooling, as constants.
template <typename F>
void with_pool(const NormShape& s, F f) {
  if (s.pool)
    f(std::integral_constant<int, 2>());
  else
    f(std::integral_constant<int, 1>());
}

// Elements before an image of a task.
struct Offsets {
  int64_t x, y, group;
  Offsets(const NormShape& s, int64_t task, int64_t image)
      : x((task * s.n + image) * s.h * s.w * s.channels),
        y((task * s.n + image) * s.h_out() * s.w_out() * s.channels),
        group(task * s.channels) {}
};

}  // namespace protean::ops::kernels
