// Which way up a photograph was taken.
#pragma once

#include <string_view>

#include "protean/data/image_codec.h"

namespace protean {

// Exif's Orientation, 1 to 8, of its TIFF structure (what follows "Exif\0\0");
// 1, upright, where it says nothing that can be understood.
int exif_orientation(std::string_view tiff);

// The image as a viewer shows it.
Image upright(Image image, int orientation);

}  // namespace protean
