#include "protean/generative/analysis/scatter.h"

#include <cstdio>

#include <ATen/ATen.h>

#include "protean/core/base64.h"
#include "protean/core/error.h"
#include "protean/core/svg_plot.h"

namespace protean {
namespace {

constexpr int kMargin = 30, kLegend = 260, kLine = 18;
// Of the map: pictures need more room than dots.
constexpr int kSide = 480, kPictureSide = 960;
constexpr double kPicture = 26;  // side of one

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  char buffer[256];
  const int n = std::snprintf(buffer, sizeof buffer, pattern, args...);
  return {buffer, static_cast<size_t>(n)};
}

std::string colour(size_t i, size_t of) {
  return format("hsl(%d,70%%,%d%%)", static_cast<int>(360 * i / of),
                i % 2 ? 35 : 55);
}

std::string dot(double x, double y, const std::string& fill) {
  return format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"", x, y) +
         fill + "\"/>\n";
}

std::string picture(double x, double y, const std::string& png,
                    const std::string& frame) {
  const std::string place =
      format(" x=\"%.1f\" y=\"%.1f\" width=\"%g\" height=\"%g\"",
             x - kPicture / 2, y - kPicture / 2, kPicture, kPicture);
  // The older name of href, which every viewer knows.
  return "<image" + place + " xlink:href=\"data:image/png;base64," +
         base64(png) + "\"/><rect" + place + " fill=\"none\" stroke=\"" +
         frame + "\" stroke-width=\"1.5\"/>\n";
}

// Colours and names below each other.
std::string legend(const std::vector<std::string>& names, int x) {
  std::string svg;
  for (size_t i = 0; i < names.size(); ++i) {
    const int y = 2 * kMargin + kLine * static_cast<int>(i);
    svg += format("<circle cx=\"%d\" cy=\"%d\" r=\"4\" fill=\"", x, y) +
           colour(i, names.size()) + "\"/>";
    svg += format("<text x=\"%d\" y=\"%d\">", x + 10, y + 4) +
           svg_text(names[i]) + "</text>\n";
  }
  return svg;
}

}  // namespace

Plane principal_plane(const at::Tensor& x) {
  if (x.dim() != 2 || x.size(0) < 3 || x.size(1) < 2)
    throw Error(concat("principal_plane: ", x.size(0), " points of ",
                       x.size(-1), " values; expected at least 3 of 2"));
  const auto centred = x.to(at::kDouble) - x.to(at::kDouble).mean(0, true);
  const auto [values, vectors] = at::linalg_eigh(at::mm(centred.t(), centred));
  const int64_t d = x.size(1);
  auto axes = vectors.narrow(1, d - 2, 2).flip({1});  // largest first
  const auto largest = axes.gather(0, axes.abs().argmax(0, true));
  axes = axes * largest.sign();
  return {at::mm(centred, axes),
          (values.narrow(0, d - 2, 2).sum() / values.sum().clamp_min(1e-30))
              .item<double>()};
}

std::string scatter_svg(const at::Tensor& points, const at::Tensor& labels,
                        const std::vector<std::string>& names,
                        const std::string& title,
                        const std::vector<std::string>& pictures) {
  const auto n = static_cast<size_t>(points.size(0));
  if (!pictures.empty() && pictures.size() != n)
    throw Error(concat("scatter_svg: ", pictures.size(), " pictures of ", n,
                       " points; expected one of each, or none"));
  const int side = pictures.empty() ? kSide : kPictureSide;
  const auto low = std::get<0>(points.min(0, true));
  const auto range = (std::get<0>(points.max(0, true)) - low).clamp_min(1e-12);
  const auto place =
      ((points - low) / range * side).to(at::kDouble).contiguous();
  const double* at = place.const_data_ptr<double>();
  const auto label = labels.contiguous();
  const int height =
      std::max(side, kLine * static_cast<int>(names.size())) + 3 * kMargin;
  std::string svg = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" height=\"%d\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n",
      side + kLegend + 2 * kMargin, height);
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  svg += format("<text x=\"%d\" y=\"%d\" font-size=\"14\">", kMargin, kMargin) +
         svg_text(title) + "</text>\n";
  std::string above;  // pictures are not hidden by dots
  for (size_t i = 0; i < n; ++i) {
    const auto which = static_cast<size_t>(label.const_data_ptr<int64_t>()[i]);
    const double x = kMargin + at[2 * i];
    const double y = 2 * kMargin + side - at[2 * i + 1];
    const std::string fill = colour(which, names.size());
    if (pictures.empty() || pictures[i].empty())
      svg += dot(x, y, fill);
    else
      above += picture(x, y, pictures[i], fill);
  }
  return svg + above + legend(names, side + 2 * kMargin) + "</svg>\n";
}

}  // namespace protean
