#include "protean/data/affine.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace protean {

Affine operator*(const Affine& a, const Affine& b) {
  return {a.xx * b.xx + a.xy * b.yx,     a.xx * b.xy + a.xy * b.yy,
          a.yx * b.xx + a.yy * b.yx,     a.yx * b.xy + a.yy * b.yy,
          a.xx * b.x + a.xy * b.y + a.x, a.yx * b.x + a.yy * b.y + a.y};
}

Affine draw_affine(Draws& draws, const AffineRanges& r, int64_t side) {
  const auto draw = [&](double range) {
    const bool left_out = draws.uniform() < r.leave_out;
    const double value = draws.uniform(-range, range);
    return left_out ? 0.0 : value;
  };
  const double angle = draw(r.turn) * std::numbers::pi / 180;
  const double c = std::cos(angle), s = std::sin(angle);
  const Affine turn{c, -s, s, c};
  Affine shear, scale, shift;
  shear.xy = draw(r.shear);
  shear.yx = draw(r.shear);
  scale.xx = 1 + draw(r.scale);
  scale.yy = 1 + draw(r.scale);
  shift.x = draw(r.shift) * static_cast<double>(side);
  shift.y = draw(r.shift) * static_cast<double>(side);
  if (draws.uniform() < r.mirror) scale.xx = -scale.xx;
  return shift * turn * shear * scale;
}

void warp(const float* in, int64_t channels, int64_t side, const Affine& map,
          float* out) {
  // A border of zeros makes every neighbour exist: one row and column before,
  // two after.
  const int64_t width = side + 3;
  std::vector<float> padded(static_cast<size_t>(width * width));
  const double centre = 0.5 * static_cast<double>(side - 1);
  const auto last = static_cast<double>(side + 1);
  for (int64_t c = 0; c < channels; ++c, in += side * side) {
    for (int64_t y = 0; y < side; ++y)
      std::copy_n(in + y * side, side, &padded[(y + 1) * width + 1]);
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x) {
        const double ox = static_cast<double>(x) - centre;
        const double oy = static_cast<double>(y) - centre;
        const double from_x = map.xx * ox + map.xy * oy + map.x + centre + 1;
        const double from_y = map.yx * ox + map.yy * oy + map.y + centre + 1;
        const double at_x = std::clamp(from_x, 0.0, last);
        const double at_y = std::clamp(from_y, 0.0, last);
        const auto left = static_cast<int64_t>(at_x);
        const auto top = static_cast<int64_t>(at_y);
        const auto right_part =
            static_cast<float>(at_x - static_cast<double>(left));
        const auto low_part =
            static_cast<float>(at_y - static_cast<double>(top));
        const float* p = &padded[top * width + left];
        const float up = p[0] + right_part * (p[1] - p[0]);
        const float low = p[width] + right_part * (p[width + 1] - p[width]);
        *out++ = up + low_part * (low - up);
      }
  }
}

}  // namespace protean
