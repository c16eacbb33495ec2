#include <vector>

#include "models/ops/conv_parts.h"
#include "models/ops/conv_tiles.h"

namespace protean::ops::kernels {

namespace {

// Pixels whose window covers the same taps.
struct PixelClass {
  unsigned taps;                 // bit t: tap t lies inside the image
  std::vector<int32_t> in, out;  // pixel numbers
};

// For every pixel of an (h, w) result: valid(i, kh) says whether tap row kh
// reads inside the source, base(i) is the source row that deltas count from.
template <typename Valid, typename Base>
std::vector<PixelClass> classify(int64_t h, int64_t w, int64_t w_in,
                                 Valid valid_h, Valid valid_w, Base base) {
  std::vector<PixelClass> classes;
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      unsigned taps = 0;
      for (int kh = 0; kh < 3; ++kh)
        for (int kw = 0; kw < 3; ++kw)
          if (valid_h(i, kh) && valid_w(j, kw)) taps |= 1u << (3 * kh + kw);
      auto c = std::find_if(classes.begin(), classes.end(),
                            [=](const auto& p) { return p.taps == taps; });
      if (c == classes.end()) c = classes.insert(c, {taps, {}, {}});
      c->in.push_back(static_cast<int32_t>(base(i) * w_in + base(j)));
      c->out.push_back(static_cast<int32_t>(i * w + j));
    }
  return classes;
}

// Rows of all images first..last for every class, tile by tile.
template <typename T>
void run_classes(const std::vector<PixelClass>& classes, const T* in,
                 int64_t in_pixels, int64_t depth, const T* packed, T* out,
                 int64_t out_pixels, int64_t columns, const int64_t* tap_pixels,
                 int64_t first, int64_t last) {
  for (const auto& c : classes) {
    Taps<T> taps;
    taps.depth = depth;
    taps.ldw = columns;
    for (int t = 0; t < 9; ++t)
      if (c.taps >> t & 1)
        taps.add(in + tap_pixels[t] * depth, packed + t * depth * columns);
    const int64_t pixels = c.in.size();
    for_column_blocks<T>(columns, [&](int64_t column, int vectors) {
      for_row_tiles((last - first) * pixels, max_rows(vectors),
                    [&](int64_t begin, int rows) {
                      int64_t a[8];
                      T* o[8];
                      for (int r = 0; r < rows; ++r) {
                        const int64_t image = first + (begin + r) / pixels;
                        const int64_t pixel = (begin + r) % pixels;
                        a[r] = (image * in_pixels + c.in[pixel]) * depth;
                        o[r] =
                            out + (image * out_pixels + c.out[pixel]) * columns;
                      }
                      rows_tile_of<T>(rows, vectors)(taps, column, a, o);
                    });
    });
  }
}

}  // namespace

template <typename T>
void direct_forward(const ConvShape& s, const T* x, const T* packed,
                    int64_t first, int64_t last, T* y) {
  auto inside = [&](int64_t size) {
    return [stride = s.stride, size](int64_t i, int k) {
      const int64_t p = i * stride + k - 1;
      return p >= 0 && p < size;
    };
  };
  auto classes = classify(s.h_out(), s.w_out(), s.w, inside(s.h), inside(s.w),
                          [&](int64_t i) { return i * s.stride; });
  int64_t delta[9];
  for (int t = 0; t < 9; ++t) delta[t] = (t / 3 - 1) * s.w + t % 3 - 1;
  run_classes(classes, x, s.h * s.w, s.in, packed, y, s.h_out() * s.w_out(),
              s.out, delta, first, last);
}

template <typename T>
void direct_input_gradient(const ConvShape& s, const T* gy, const T* swapped,
                           int64_t first, int64_t last, T* gx) {
  // Pixel i of x was read by output (i + 1 - k) / stride through tap k.
  auto inside = [&](int64_t size) {
    return [stride = s.stride, size](int64_t i, int k) {
      const int64_t p = i + 1 - k;
      return p >= 0 && p % stride == 0 && p / stride < size;
    };
  };
  const int64_t ho = s.h_out(), wo = s.w_out();
  auto classes = classify(s.h, s.w, wo, inside(ho), inside(wo),
                          [&](int64_t i) { return i / s.stride; });
  auto shift = [&](int k) { return s.stride == 1 ? 1 - k : k == 0; };
  int64_t delta[9];
  for (int t = 0; t < 9; ++t) delta[t] = shift(t / 3) * wo + shift(t % 3);
  run_classes(classes, gy, ho * wo, s.out, swapped, gx, s.h * s.w, s.in, delta,
              first, last);
}

template <typename T>
void direct_weight_gradient(const ConvShape& s, const T* x, const T* gy,
                            int64_t first, int64_t last, T* gw) {
  // Enough rows per pass to pay for reading and writing the sums, few enough
  // for the first cache.
  constexpr int64_t kDepth = 96;
  const int64_t ho = s.h_out(), wo = s.w_out();
  const int64_t step = std::max<int64_t>(1, kDepth / (ho * wo));
  std::vector<int32_t> kx, ky;
  for (int64_t image = 0; image < s.n; image += step) {
    const int64_t images = std::min(step, s.n - image);
    for (int t = 0; t < 9; ++t) {
      kx.clear();
      ky.clear();
      for (int64_t b = 0; b < images; ++b)
        for (int64_t i = 0; i < ho; ++i)
          for (int64_t j = 0; j < wo; ++j) {
            const int64_t p = i * s.stride + t / 3 - 1;
            const int64_t q = j * s.stride + t % 3 - 1;
            if (p < 0 || p >= s.h || q < 0 || q >= s.w) continue;
            kx.push_back(
                static_cast<int32_t>(((b * s.h + p) * s.w + q) * s.in));
            ky.push_back(static_cast<int32_t>(((b * ho + i) * wo + j) * s.out));
          }
      outer_products<T>(kx.size(), x + image * s.h * s.w * s.in, kx.data(),
                        s.in, gy + image * ho * wo * s.out, ky.data(), first,
                        last, s.out, /*add=*/true, gw + t * s.in * s.out);
    }
  }
}

#define PROTEAN_INSTANTIATE(T)                                                 \
  template void direct_forward<T>(const ConvShape&, const T*, const T*,        \
                                  int64_t, int64_t, T*);                       \
  template void direct_input_gradient<T>(const ConvShape&, const T*, const T*, \
                                         int64_t, int64_t, T*);                \
  template void direct_weight_gradient<T>(const ConvShape&, const T*,          \
                                          const T*, int64_t, int64_t, T*);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
