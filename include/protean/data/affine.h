// Small distortions of images: more drawings, and more characters, than there
// are.
#pragma once

#include <cstdint>

#include "protean/core/philox.h"

namespace protean {

// Where a pixel of the result comes from: offset o from the centre (x right, y
// down, in pixels) shows what lies at offset (xx ox + xy oy + x, yx ox + yy oy
// + y).
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1;
  double x = 0, y = 0;
};

// b first: the result's pixel goes through b, then through a.
Affine operator*(const Affine& a, const Affine& b);

// How far from no change; every component is uniform in a symmetric range.
struct AffineRanges {
  double turn = 0;       // degrees
  double shear = 0;      // of each axis along the other
  double scale = 0;      // of each axis, about 1
  double shift = 0;      // of each axis, about 0, in sides of the image
  double leave_out = 0;  // chance of each of these to be left out
  double mirror = 0;     // chance to swap left and right
};

// Of a drawing; Koch et al. 2015 ("Siamese neural networks for one-shot image
// recognition"), whose images have 105 pixels.
constexpr AffineRanges kDrawingDistortion{.turn = 10,
                                          .shear = 0.3,
                                          .scale = 0.2,
                                          .shift = 2.0 / 105,
                                          .leave_out = 0.5,
                                          .mirror = 0};

// Takes the same count of numbers whatever comes out.
Affine draw_affine(Draws& draws, const AffineRanges& ranges, int64_t side);

// in, out: (channels, side, side), not overlapping. Bilinear; 0 outside.
void warp(const float* in, int64_t channels, int64_t side, const Affine& map,
          float* out);

}  // namespace protean
