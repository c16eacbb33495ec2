// Image files as the values that models take, and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "protean/data/ink.h"

namespace protean {

// How values in [0, 1] stand in a file.
struct ImageFormat {
  std::vector<int64_t> shape;  // {C, H, W}, C = 1 (grey) or 3 (RGB)
  // Drawings in ink: a value is 1 where the file is darker than half, else 0,
  // as in Omniglot. Otherwise value * 255 is the brightness.
  bool ink = false;
};

struct ImageFolder {
  std::vector<std::string> names;  // sorted
  std::vector<float> values;       // image after image, each row-major in shape
};

// How files that have another size than the format are brought to it.
struct ImageReading {
  bool same_size = false;  // they are refused
  Filter filter = Filter::area;
  Fit fit = Fit::stretch;
  // Of formats with ink: see ImagePreparation.
  bool as_ink = true;
  bool crop_to_ink = false;
};

// Every PNG and JPEG of a folder, not of folders below; grey and colour become
// what the format has. ink: of the files, where the format has ink. Those in
// which nothing is to be seen are named by a warning. Throws ConfigError when
// the folder is missing or holds no image, DataError naming the file that is
// broken or does not fit, and when nothing is to be seen in any.
ImageFolder read_images(const std::filesystem::path& folder,
                        const ImageFormat& format, const ImageReading& how,
                        Ink ink = Ink::dark);

// A sheet of equally large images on a light ground, row after row, as PNG.
class ImageSheet {
 public:
  // gap: pixels between images and around them.
  ImageSheet(const ImageFormat& format, int64_t rows, int64_t columns,
             int64_t gap = 2);
  // values: one image.
  void place(int64_t row, int64_t column, const float* values);
  std::string png() const;

 private:
  ImageFormat format_;
  int64_t width_, height_, gap_;
  std::vector<uint8_t> pixels_;  // interleaved
};

}  // namespace protean
