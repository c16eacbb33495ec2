#include "models/ops/conv_kernels.h"

#include <algorithm>

#include "models/ops/conv_parts.h"
#include "models/ops/conv_tiles.h"
#include "models/ops/pieces.h"
#include "models/ops/scratch.h"

namespace protean::ops::kernels {

namespace {

// Below five pixels a side most of a Winograd tile lies outside the image.
bool use_winograd(const ConvShape& s) {
  return s.stride == 1 && std::min(s.h, s.w) >= 5;
}

// prepare(task, buffer of size elements) once per task, then body(task,
// buffer, first image, last image) over all pieces.
template <typename T, typename Prepare, typename Body>
void for_pieces(const ConvShape& s, int64_t size, Prepare prepare, Body body) {
  const Pieces pieces(s.tasks, s.n);
  if (pieces.whole()) {
    pieces.for_tasks([&](int64_t t) {
      thread_local Scratch space;
      T* const buffer = space.get<T>(size);
      prepare(t, buffer);
      body(t, buffer, 0, s.n);
    });
    return;
  }
  thread_local Scratch space;
  T* const buffers = space.get<T>(size * s.tasks);
  pieces.for_tasks([&](int64_t t) { prepare(t, buffers + t * size); });
  pieces.for_all([&](int64_t t, int64_t first, int64_t last) {
    body(t, buffers + t * size, first, last);
  });
}

// Sums over a task's images, size elements: body(task, first column, last
// column, buffer) adds those of some output channels to a zeroed buffer, finish
// takes them all.
template <typename T, typename Body, typename Finish>
void for_sums(const ConvShape& s, int64_t size, Body body, Finish finish) {
  constexpr int L = kLanes<T>;
  const Pieces pieces(s.tasks, s.out / L);
  if (pieces.whole()) {
    pieces.for_tasks([&](int64_t t) {
      thread_local Scratch space;
      T* const sums = space.get<T>(size);
      std::fill_n(sums, size, T(0));
      body(t, 0, s.out, sums);
      finish(t, sums);
    });
    return;
  }
  thread_local Scratch space;
  T* const sums = space.get<T>(size * s.tasks);
  std::fill_n(sums, size * s.tasks, T(0));
  pieces.for_all([&](int64_t t, int64_t first, int64_t last) {
    body(t, first * L, last * L, sums + t * size);
  });
  pieces.for_tasks([&](int64_t t) { finish(t, sums + t * size); });
}

// w (out, in, 3, 3) is a matrix of `out` rows; packed has a row for each of its
// columns k, at tap k % 9 of input channel k / 9.
int64_t packed_row(const ConvShape& s, int64_t k) {
  return (k % 9 * s.in + k / 9) * s.out;
}

}  // namespace

template <typename T>
void pack_weights(const ConvShape& s, const T* w, T* packed) {
  constexpr int L = kLanes<T>;
  const int64_t columns = 9 * s.in, whole = columns / L * L;
  for (int64_t o = 0; o < s.out; o += L) {
    for (int64_t k = 0; k < whole; k += L)
      transpose_square<T>(
          [&](int i) { return w + (o + i) * columns + k; },
          [&](int i) { return packed + packed_row(s, k + i) + o; });
    for (int64_t k = whole; k < columns; ++k)
      for (int i = 0; i < L; ++i)
        packed[packed_row(s, k) + o + i] = w[(o + i) * columns + k];
  }
}

template <typename T>
void unpack_weights(const ConvShape& s, const T* packed, T* w) {
  constexpr int L = kLanes<T>;
  const int64_t columns = 9 * s.in, whole = columns / L * L;
  for (int64_t o = 0; o < s.out; o += L) {
    for (int64_t k = 0; k < whole; k += L)
      transpose_square<T>(
          [&](int i) { return packed + packed_row(s, k + i) + o; },
          [&](int i) { return w + (o + i) * columns + k; });
    for (int64_t k = whole; k < columns; ++k)
      for (int i = 0; i < L; ++i)
        w[(o + i) * columns + k] = packed[packed_row(s, k) + o + i];
  }
}

template <typename T>
void swap_channels(const ConvShape& s, const T* packed, bool mirror,
                   T* swapped) {
  constexpr int L = kLanes<T>;
  for (int t = 0; t < 9; ++t) {
    const T* from = packed + t * s.in * s.out;
    T* to = swapped + (mirror ? 8 - t : t) * s.in * s.out;
    for (int64_t k = 0; k < s.in; k += L)
      for (int64_t o = 0; o < s.out; o += L)
        transpose_square<T>([&](int i) { return from + (k + i) * s.out + o; },
                            [&](int i) { return to + (o + i) * s.in + k; });
  }
}

template <typename T>
bool conv_thin(int64_t in) {
  return in < kLanes<T>;
}

template <typename T>
bool conv_supported(int64_t in, int64_t out) {
  return out % kLanes<T> == 0 && (conv_thin<T>(in) || in % kLanes<T> == 0);
}

template <typename T>
void conv_forward(const ConvShape& s, const T* x, const T* w, T* y) {
  const int64_t size = s.weights(), per_x = s.n * s.h * s.w * s.in,
                per_y = s.n * s.h_out() * s.w_out() * s.out;
  if (!conv_thin<T>(s.in) && use_winograd(s)) {
    for_pieces<T>(
        s, 16 * s.in * s.out + size,
        [&](int64_t t, T* u) {
          T* const packed = u + 16 * s.in * s.out;
          pack_weights(s, w + t * size, packed);
          winograd_weights(s.in, s.out, packed, u);
        },
        [&](int64_t t, const T* u, int64_t first, int64_t last) {
          winograd_forward(s, x + t * per_x, u, first, last, y + t * per_y);
        });
    return;
  }
  const auto kernel = conv_thin<T>(s.in) ? thin_forward<T> : direct_forward<T>;
  for_pieces<T>(
      s, size,
      [&](int64_t t, T* packed) { pack_weights(s, w + t * size, packed); },
      [&](int64_t t, const T* packed, int64_t first, int64_t last) {
        kernel(s, x + t * per_x, packed, first, last, y + t * per_y);
      });
}

template <typename T>
void conv_input_gradient(const ConvShape& s, const T* gy, const T* w, T* gx) {
  const int64_t size = s.weights(), per_x = s.n * s.h * s.w * s.in,
                per_y = s.n * s.h_out() * s.w_out() * s.out;
  if (use_winograd(s)) {
    // With stride 1 a convolution with the mirrored weights.
    ConvShape back = s;
    std::swap(back.in, back.out);
    for_pieces<T>(
        s, 16 * s.in * s.out + 2 * size,
        [&](int64_t t, T* u) {
          T* const packed = u + 16 * s.in * s.out;
          T* const swapped = packed + size;
          pack_weights(s, w + t * size, packed);
          swap_channels(s, packed, /*mirror=*/true, swapped);
          winograd_weights(s.out, s.in, swapped, u);
        },
        [&](int64_t t, const T* u, int64_t first, int64_t last) {
          winograd_forward(back, gy + t * per_y, u, first, last,
                           gx + t * per_x);
        });
    return;
  }
  for_pieces<T>(
      s, 2 * size,
      [&](int64_t t, T* swapped) {
        pack_weights(s, w + t * size, swapped + size);
        swap_channels(s, swapped + size, /*mirror=*/false, swapped);
      },
      [&](int64_t t, const T* swapped, int64_t first, int64_t last) {
        direct_input_gradient(s, gy + t * per_y, swapped, first, last,
                              gx + t * per_x);
      });
}

template <typename T>
void conv_weight_gradient(const ConvShape& s, const T* x, const T* gy, T* gw) {
  const int64_t size = s.weights(), per_x = s.n * s.h * s.w * s.in,
                per_y = s.n * s.h_out() * s.w_out() * s.out;
  if (!conv_thin<T>(s.in) && use_winograd(s)) {
    for_sums<T>(
        s, 16 * s.in * s.out,
        [&](int64_t t, int64_t first, int64_t last, T* m) {
          winograd_products(s, x + t * per_x, gy + t * per_y, first, last, m);
        },
        [&](int64_t t, const T* m) {
          thread_local Scratch space;
          T* const packed = space.get<T>(size);
          winograd_gradient(s.in, s.out, m, packed);
          unpack_weights(s, packed, gw + t * size);
        });
    return;
  }
  const auto kernel =
      conv_thin<T>(s.in) ? thin_weight_gradient<T> : direct_weight_gradient<T>;
  for_sums<T>(
      s, size,
      [&](int64_t t, int64_t first, int64_t last, T* packed) {
        kernel(s, x + t * per_x, gy + t * per_y, first, last, packed);
      },
      [&](int64_t t, const T* packed) {
        unpack_weights(s, packed, gw + t * size);
      });
}

#define PROTEAN_INSTANTIATE(T)                                                \
  template bool conv_supported<T>(int64_t, int64_t);                          \
  template bool conv_thin<T>(int64_t);                                        \
  template void pack_weights<T>(const ConvShape&, const T*, T*);              \
  template void unpack_weights<T>(const ConvShape&, const T*, T*);            \
  template void swap_channels<T>(const ConvShape&, const T*, bool, T*);       \
  template void conv_forward<T>(const ConvShape&, const T*, const T*, T*);    \
  template void conv_input_gradient<T>(const ConvShape&, const T*, const T*,  \
                                       T*);                                   \
  template void conv_weight_gradient<T>(const ConvShape&, const T*, const T*, \
                                        T*);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
