// Points in the plane as an SVG picture.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace protean {

// Coordinates of x (n, d) along its first two principal axes, (n, 2) in double.
// The sign of an axis is such that its largest weight is positive.
struct Plane {
  at::Tensor points;
  double explained = 0;  // share of the variance
};
Plane principal_plane(const at::Tensor& x);

// points (n, 2); labels (n) in [0, names.size()), which decide the colour and
// are listed beside the picture. pictures: none, or of every point the bytes of
// a PNG file, which the SVG then holds and shows in place of a dot, framed in
// the colour; "" leaves the dot. Throws Error on another number of pictures.
std::string scatter_svg(const at::Tensor& points, const at::Tensor& labels,
                        const std::vector<std::string>& names,
                        const std::string& title,
                        const std::vector<std::string>& pictures = {});

}  // namespace protean
