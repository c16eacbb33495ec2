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

// PNG or JPEG, told by the first bytes, as a viewer shows it: Exif's
// orientation is applied, palettes are expanded, transparent pixels lie over
// white, printing inks (CMYK) become RGB. 16 bits become 8; when no colour
// reaches a sixteenth of the range, it is taken for 8, 10 or 12 bits that were
// stored in 16. Throws DataError: "NAME: cause", also when it has more than
// 2^14 pixels on a side or 2^26 in all; memory stays below 16 bytes a pixel.
Image decode_image(std::string_view bytes, const std::string& name);

// As a PNG file.
std::string encode_png(const Image& image);

// RGB to grey by ITU-R 601 weights; grey to RGB by repetition.
Image to_channels(Image image, uint32_t channels);

// nearest takes source pixel floor((i + 0.5) * from / side); bilinear has
// half-pixel centres, clamped edges and no antialiasing, as torch's
// interpolate; area averages what a pixel covers, and where it covers less than
// one is bilinear.
enum class Filter { nearest, bilinear, area };
// What becomes of images that are not square: stretched; whole, on a square of
// their border's middle colour; or the square in their middle.
enum class Fit { stretch, pad, crop };
// Throw ConfigError naming `key`.
Filter parse_filter(const std::string& name, const std::string& key);
Fit parse_fit(const std::string& name, const std::string& key);

// To side x side, whatever the aspect.
Image resize(const Image& image, uint32_t side, Filter filter);
Image fit_square(const Image& image, uint32_t side, Filter filter, Fit how);

// The square around what is darker (or lighter) than the middle of the image's
// values, with an eighth of paper on each side.
Image crop_to_ink(const Image& image, bool dark);

// Whether all values lie within 8 of 256: nothing is to be seen.
bool nearly_constant(const Image& image);

// Channels first: all of channel 0, then all of channel 1.
std::vector<uint8_t> planes(const Image& image);

}  // namespace protean
