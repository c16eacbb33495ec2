// How a user's image becomes what a network was trained on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protean/data/image_codec.h"

namespace protean {

struct ImagePreparation {
  std::vector<int64_t> shape;  // (channels, side, side)
  Filter filter = Filter::area;
  Fit fit = Fit::stretch;
  bool invert = false;  // value v becomes 1 - v
  // The network knows ink alone, 1 on 0, of drawings like Omniglot's. Those of
  // its size (105x105, or the side) are taken as it was, by nearest; others are
  // reduced by area, and what lies beyond the middle of their values is ink, so
  // that a thin line stays. With invert, ink is what is dark.
  bool ink = false;
  bool crop_to_ink = false;  // of ink, before it is reduced
};

// Appends the image's values, row-major in shape, in [0, 1].
void prepare(const Image& image, const ImagePreparation& how,
             std::vector<float>& out);

// Names of images whose values, `size` each, lie within 8 / 255 of each other:
// nothing is to be seen in them.
std::vector<std::string> blank_ones(const std::vector<std::string>& names,
                                    const std::vector<float>& values);
// A warning that names them, or DataError when all are blank. what: "--support"
void check_blank(const std::string& what, const std::vector<std::string>& names,
                 const std::vector<float>& values);

}  // namespace protean
