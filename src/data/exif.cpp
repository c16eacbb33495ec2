#include "data/exif.h"

#include <cstddef>

namespace protean {
namespace {

constexpr uint32_t kOrientation = 0x0112, kShort = 3;

// Numbers of a TIFF structure, in its own byte order; 0 behind its end.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes)
      : bytes_(bytes), big_(bytes.starts_with("MM")) {}

  bool valid() const {
    return (big_ || bytes_.starts_with("II")) && number(2, 2) == 42;
  }
  uint32_t number(size_t at, size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value = value << 8 |
              static_cast<uint8_t>(bytes_[big_ ? at + i : at + size - 1 - i]);
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_;
};

}  // namespace

int exif_orientation(std::string_view bytes) {
  const Tiff tiff(bytes);
  if (!tiff.valid()) return 1;
  const size_t directory = tiff.number(4, 4);
  const size_t entries = tiff.number(directory, 2);
  constexpr size_t kEntry = 12;
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + i * kEntry;
    if (tiff.number(at, 2) != kOrientation) continue;
    const uint32_t value = tiff.number(at + 8, 2);
    const bool known =
        tiff.number(at + 2, 2) == kShort && value >= 1 && value <= 8;
    return known ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool turned = orientation >= 5;  // rows become columns
  Image out{turned ? image.height : image.width,
            turned ? image.width : image.height,
            image.channels,
            {}};
  out.pixels.reserve(image.pixels.size());
  const size_t last_x = image.width - 1, last_y = image.height - 1;
  for (size_t y = 0; y < out.height; ++y)
    for (size_t x = 0; x < out.width; ++x) {
      size_t from_x = turned ? y : x, from_y = turned ? x : y;
      // Where the image's first row and column were, as the standard names
      // them.
      if (orientation == 2 || orientation == 3 || orientation == 7 ||
          orientation == 8)
        from_x = last_x - from_x;
      if (orientation == 3 || orientation == 4 || orientation == 6 ||
          orientation == 7)
        from_y = last_y - from_y;
      const auto* from = image.pixels.data() +
                         (from_y * image.width + from_x) * image.channels;
      out.pixels.insert(out.pixels.end(), from, from + image.channels);
    }
  return out;
}

}  // namespace protean
