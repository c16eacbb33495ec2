// PNG and JPEG files to bytes, and bytes to the shape of a data set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace protean {

struct Image {
  uint32_t width = 0, height = 0;
  uint32_t channels = 0;        // 1 = grey, 3 = RGB
  std::vector<uint8_t> pixels;  // height * width * channels, interleaved
};

// PNG or JPEG, told by the first bytes. Palettes are expanded, 16 bits cut to
// 8, transparent pixels lie over white. Throws DataError: "NAME: cause".
Image decode_image(std::string_view bytes, const std::string& name);

// As a PNG file.
std::string encode_png(const Image& image);

// RGB to grey by ITU-R 601 weights; grey to RGB by repetition.
Image to_channels(Image image, uint32_t channels);

enum class Filter { nearest, bilinear };
// Throws ConfigError naming `key`.
Filter parse_filter(const std::string& name, const std::string& key);

// To side x side, whatever the aspect. Nearest takes source pixel
// floor((i + 0.5) * from / side); bilinear has half-pixel centres, clamped
// edges and no antialiasing, as torch's interpolate.
Image resize(const Image& image, uint32_t side, Filter filter);

// Channels first: all of channel 0, then all of channel 1.
std::vector<uint8_t> planes(const Image& image);

}  // namespace protean
