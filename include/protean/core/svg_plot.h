// A plot as an SVG file that any browser shows: lines over numbers, or points
// over names.
#pragma once

#include <string>
#include <vector>

namespace protean {

struct PlotSeries {
  std::string name;
  std::vector<double> y;      // one per x; NaN: left out
  std::vector<double> error;  // half of an interval; empty: none
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<double> x;           // for lines
  std::vector<std::string> names;  // for points, in place of x
  bool log_x = false;              // x > 0 then
  std::vector<PlotSeries> series;
};

// The whole file. Throws Error when there is no value to show.
std::string to_svg(const Plot& plot);

// Text as it stands in such a file: what XML takes as markup is escaped.
std::string svg_text(const std::string& text);

}  // namespace protean
