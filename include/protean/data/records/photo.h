// Encoded photographs as small square images, prepared as the Meta-Dataset
// reference prepares them (meta_dataset/data/decoder.py): RGB, the whole image
// resized to side x side whatever its aspect, bilinear with aligned corners and
// without antialiasing.
//
//   source coordinate = i (in - 1) / (out - 1), single precision
//
// The reference goes on with the blended values; here they are rounded to
// bytes, half up, at most 0.5 / 255 away: an image read from records and one
// read from a pack of bytes are then the same, at a quarter of the memory.
//
// JPEG is decoded by libjpeg-turbo with the accurate inverse DCT and smooth
// chroma, row by row, so that memory grows with the width alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protean/data/image_codec.h"

namespace protean {

// Rows of an image in, from the first to the last; the resized image out.
class AlignedResize {
 public:
  // From width x height RGB to side x side; out: 3 planes of side * side bytes,
  // which must outlive this.
  AlignedResize(uint32_t width, uint32_t height, uint32_t side, uint8_t* out);
  // The next row that is wanted; those before it may be left out. height when
  // done.
  uint32_t wanted() const;
  // Row `wanted()`, width * 3 bytes.
  void add(const uint8_t* row);

 private:
  struct Tap {
    uint32_t low, high;
    float weight;  // of high
  };
  static std::vector<Tap> taps(uint32_t from, uint32_t to);
  void blend(uint32_t y);

  uint32_t height_, side_;
  uint8_t* out_;
  std::vector<Tap> rows_, columns_;
  // Resized rows of the source, by parity of their place in the list of rows
  // that are wanted; held: which they are.
  std::vector<float> held_[2];
  uint32_t held_row_[2];
  uint32_t next_ = 0;  // row of the result
};

// A JPEG or PNG file's bytes to 3 planes of side * side bytes. Throws DataError
// "PLACE: cause" on other files, damaged ones (a harmless warning of libjpeg's
// is none), CMYK, and images above 2^26 pixels or 2^14 on a side.
void decode_photo(std::string_view bytes, uint32_t side,
                  const std::string& place, uint8_t* out);

// RGB as a JPEG file, as Pillow saves by default: quality 75, chroma halved.
std::string encode_jpeg(const Image& image);

}  // namespace protean
