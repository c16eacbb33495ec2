#include "protean/generative/scatter.h"

#include <cstdio>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/svg_plot.h"

namespace protean {
namespace {

constexpr int kSide = 480, kMargin = 30, kLegend = 260, kLine = 18;

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
                        const std::string& title) {
  const auto low = std::get<0>(points.min(0, true));
  const auto range = (std::get<0>(points.max(0, true)) - low).clamp_min(1e-12);
  const auto place = ((points - low) / range * kSide).contiguous();
  const double* at = place.const_data_ptr<double>();
  const auto label = labels.contiguous();
  const int height =
      std::max(kSide, kLine * static_cast<int>(names.size())) + 3 * kMargin;
  std::string svg = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n",
      kSide + kLegend + 2 * kMargin, height);
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  svg += format("<text x=\"%d\" y=\"%d\" font-size=\"14\">", kMargin, kMargin) +
         svg_text(title) + "</text>\n";
  for (int64_t i = 0; i < points.size(0); ++i) {
    const auto which = static_cast<size_t>(label.const_data_ptr<int64_t>()[i]);
    svg += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"",
                  kMargin + at[2 * i], 2 * kMargin + kSide - at[2 * i + 1]) +
           colour(which, names.size()) + "\"/>\n";
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const int y = 2 * kMargin + kLine * static_cast<int>(i);
    svg += format("<circle cx=\"%d\" cy=\"%d\" r=\"4\" fill=\"",
                  kSide + 2 * kMargin, y) +
           colour(i, names.size()) + "\"/>";
    svg += format("<text x=\"%d\" y=\"%d\">", kSide + 2 * kMargin + 10, y + 4) +
           svg_text(names[i]) + "</text>\n";
  }
  return svg + "</svg>\n";
}

}  // namespace protean
