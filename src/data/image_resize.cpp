#include <algorithm>
#include <array>
#include <cmath>

#include "protean/core/error.h"
#include "protean/data/image_codec.h"

namespace protean {

Filter parse_filter(const std::string& name, const std::string& key) {
  if (name == "area") return Filter::area;
  if (name == "nearest") return Filter::nearest;
  if (name == "bilinear") return Filter::bilinear;
  throw ConfigError(concat(key, " = \"", name,
                           "\"; expected one of: area, nearest, bilinear"));
}

Fit parse_fit(const std::string& name, const std::string& key) {
  if (name == "stretch") return Fit::stretch;
  if (name == "pad") return Fit::pad;
  if (name == "crop") return Fit::crop;
  throw ConfigError(
      concat(key, " = \"", name, "\"; expected one of: stretch, pad, crop"));
}

namespace {

Image resize_nearest(const Image& in, uint32_t side) {
  Image out{side, side, in.channels, {}};
  out.pixels.reserve(size_t{side} * side * in.channels);
  auto source = [&](uint32_t i, uint32_t from) {
    return (2 * uint64_t{i} + 1) * from / (2 * side);
  };
  for (uint32_t y = 0; y < side; ++y)
    for (uint32_t x = 0; x < side; ++x) {
      const size_t at =
          (source(y, in.height) * in.width + source(x, in.width)) * in.channels;
      for (uint32_t c = 0; c < in.channels; ++c)
        out.pixels.push_back(in.pixels[at + c]);
    }
  return out;
}

struct Tap {
  uint32_t low, high;
  double weight;  // of high
};

std::vector<Tap> bilinear_taps(uint32_t from, uint32_t side) {
  std::vector<Tap> taps;
  for (uint32_t i = 0; i < side; ++i) {
    const double at =
        std::max(0.0, (i + 0.5) * from / static_cast<double>(side) - 0.5);
    const auto low = std::min(static_cast<uint32_t>(at), from - 1);
    taps.push_back({low, std::min(low + 1, from - 1), at - low});
  }
  return taps;
}

Image resize_bilinear(const Image& in, uint32_t side) {
  Image out{side, side, in.channels, {}};
  out.pixels.reserve(size_t{side} * side * in.channels);
  const auto rows = bilinear_taps(in.height, side);
  const auto columns = bilinear_taps(in.width, side);
  auto pixel = [&](uint32_t y, uint32_t x, uint32_t c) {
    return static_cast<double>(
        in.pixels[(size_t{y} * in.width + x) * in.channels + c]);
  };
  for (const Tap& y : rows)
    for (const Tap& x : columns)
      for (uint32_t c = 0; c < in.channels; ++c) {
        const double top = (1 - x.weight) * pixel(y.low, x.low, c) +
                           x.weight * pixel(y.low, x.high, c);
        const double bottom = (1 - x.weight) * pixel(y.high, x.low, c) +
                              x.weight * pixel(y.high, x.high, c);
        out.pixels.push_back(static_cast<uint8_t>((1 - y.weight) * top +
                                                  y.weight * bottom + 0.5));
      }
  return out;
}

// A pixel of the result is a weighted mean of neighbours in one direction:
// source pixel first + i has weight[i].
struct Taps {
  uint32_t first = 0;
  std::vector<double> weight;
};

// What each pixel of the result covers.
std::vector<Taps> area_taps(uint32_t from, uint32_t side) {
  std::vector<Taps> taps;
  if (from <= side) {
    for (const Tap& tap : bilinear_taps(from, side))
      taps.push_back(
          {tap.low, tap.low == tap.high
                        ? std::vector<double>{1}
                        : std::vector<double>{1 - tap.weight, tap.weight}});
    return taps;
  }
  const double step = static_cast<double>(from) / side;
  for (uint32_t i = 0; i < side; ++i) {
    const double begin = i * step, end = std::min<double>(begin + step, from);
    Taps own{static_cast<uint32_t>(begin), {}};
    for (uint32_t p = own.first; p < end; ++p)
      own.weight.push_back(
          (std::min<double>(p + 1, end) - std::max<double>(p, begin)) / step);
    taps.push_back(std::move(own));
  }
  return taps;
}

Image resize_area(const Image& in, uint32_t side) {
  const auto rows = area_taps(in.height, side);
  const auto columns = area_taps(in.width, side);
  const size_t c = in.channels;
  Image out{side, side, in.channels, {}};
  out.pixels.reserve(size_t{side} * side * c);
  std::vector<double> row(size_t{in.width} * c);
  for (const Taps& y : rows) {
    std::fill(row.begin(), row.end(), 0.0);
    for (size_t i = 0; i < y.weight.size(); ++i) {
      const uint8_t* from = in.pixels.data() + (y.first + i) * row.size();
      for (size_t x = 0; x < row.size(); ++x) row[x] += y.weight[i] * from[x];
    }
    for (const Taps& x : columns)
      for (size_t k = 0; k < c; ++k) {
        double sum = 0;
        for (size_t i = 0; i < x.weight.size(); ++i)
          sum += x.weight[i] * row[(x.first + i) * c + k];
        // Weights need not add up to 1 in the last digit.
        out.pixels.push_back(
            static_cast<uint8_t>(std::clamp(sum + 0.5, 0.0, 255.0)));
      }
  }
  return out;
}

// The middle of every colour along the border.
std::array<uint8_t, 3> border_colour(const Image& in) {
  std::array<uint8_t, 3> colour{};
  for (uint32_t c = 0; c < in.channels; ++c) {
    std::vector<uint8_t> values;
    const auto add = [&](uint32_t y, uint32_t x) {
      values.push_back(in.pixels[(size_t{y} * in.width + x) * in.channels + c]);
    };
    for (uint32_t x = 0; x < in.width; ++x) add(0, x), add(in.height - 1, x);
    for (uint32_t y = 0; y < in.height; ++y) add(y, 0), add(y, in.width - 1);
    const auto middle =
        values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    colour[c] = *middle;
  }
  return colour;
}

// A square of `side` whose top left corner lies at (x, y) of the image; what
// lies outside has the border's colour.
Image square_of(const Image& in, int64_t x, int64_t y, uint32_t side) {
  const auto colour = border_colour(in);
  Image out{side, side, in.channels, {}};
  out.pixels.reserve(size_t{side} * side * in.channels);
  for (int64_t i = y; i < y + side; ++i)
    for (int64_t j = x; j < x + side; ++j) {
      const bool inside = i >= 0 && j >= 0 && i < in.height && j < in.width;
      for (uint32_t c = 0; c < in.channels; ++c)
        out.pixels.push_back(
            inside ? in.pixels[static_cast<size_t>(i * in.width + j) *
                                   in.channels +
                               c]
                   : colour[c]);
    }
  return out;
}

}  // namespace

Image resize(const Image& image, uint32_t side, Filter filter) {
  if (image.width == side && image.height == side) return image;
  if (filter == Filter::nearest) return resize_nearest(image, side);
  const bool reduces = image.width > side || image.height > side;
  return filter == Filter::area && reduces ? resize_area(image, side)
                                           : resize_bilinear(image, side);
}

Image fit_square(const Image& image, uint32_t side, Filter filter, Fit how) {
  if (how == Fit::stretch || image.width == image.height)
    return resize(image, side, filter);
  const auto [least, most] = std::minmax(image.width, image.height);
  const uint32_t square = how == Fit::pad ? most : least;
  const auto start = [&](uint32_t length) {
    return (int64_t{length} - square) / 2;
  };
  return resize(
      square_of(image, start(image.width), start(image.height), square), side,
      filter);
}

Image crop_to_ink(const Image& image, bool dark) {
  const Image grey = to_channels(image, 1);
  const auto [low, high] =
      std::minmax_element(grey.pixels.begin(), grey.pixels.end());
  const int middle = (int{*low} + *high + 1) / 2;
  uint32_t left = image.width, right = 0, top = image.height, bottom = 0;
  for (uint32_t y = 0; y < grey.height; ++y)
    for (uint32_t x = 0; x < grey.width; ++x) {
      if ((grey.pixels[size_t{y} * grey.width + x] < middle) != dark) continue;
      left = std::min(left, x);
      right = std::max(right, x + 1);
      top = std::min(top, y);
      bottom = std::max(bottom, y + 1);
    }
  if (left >= right) return image;
  const uint32_t most = std::max(right - left, bottom - top);
  const uint32_t side = most + std::max(2u, most / 4);  // an eighth around it
  return square_of(image, (int64_t{left} + right - side) / 2,
                   (int64_t{top} + bottom - side) / 2, side);
}

bool nearly_constant(const Image& image) {
  constexpr int kLeast = 8;
  const auto [low, high] =
      std::minmax_element(image.pixels.begin(), image.pixels.end());
  return image.pixels.empty() || *high - *low < kLeast;
}

}  // namespace protean
