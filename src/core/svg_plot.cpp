#include "protean/core/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "protean/core/error.h"

namespace protean {
namespace {

constexpr double kWidth = 640, kHeight = 420;
constexpr double kLeft = 70, kRight = 150, kTop = 40, kBottom = 70;
// Told apart by colour-blind eyes too (Okabe and Ito 2008).
const char* const kColours[] = {"#0072B2", "#D55E00", "#009E73",
                                "#CC79A7", "#E69F00", "#56B4E9"};

std::string number(double v, const char* format = "%.1f") {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, format, v);
  return buffer;
}

struct Range {
  double low = INFINITY, high = -INFINITY;
  void add(double v) {
    if (!std::isfinite(v)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  // Room at both ends.
  void widen() {
    const double room =
        high > low ? 0.06 * (high - low) : std::max(1.0, std::abs(low)) * 0.1;
    low -= room;
    high += room;
  }
};

// About five round steps.
double step_of(const Range& range) {
  const double raw = (range.high - range.low) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (double m : {1.0, 2.0, 5.0})
    if (m * power >= raw) return m * power;
  return 10 * power;
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot) : plot_(plot) {
    for (size_t i = 0; i < points(); ++i) across_.add(at(i));
    for (const auto& s : plot.series)
      for (size_t i = 0; i < s.y.size(); ++i) {
        const double e = s.error.empty() ? 0 : s.error[i];
        up_.add(s.y[i] - e);
        up_.add(s.y[i] + e);
      }
    if (points() == 0 || up_.low > up_.high)
      throw Error("plot \"" + plot.title + "\" has no value to show");
    across_.widen();
    up_.widen();
  }

  std::string draw() {
    text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
            number(kWidth) + "\" height=\"" + number(kHeight) +
            "\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    axes();
    for (size_t s = 0; s < plot_.series.size(); ++s) series(s);
    return text_ + "</svg>\n";
  }

 private:
  size_t points() const {
    return plot_.names.empty() ? plot_.x.size() : plot_.names.size();
  }
  // Place of a point on the axis, before scaling.
  double at(size_t i) const {
    if (!plot_.names.empty()) return static_cast<double>(i);
    return plot_.log_x ? std::log10(plot_.x[i]) : plot_.x[i];
  }
  double x(double v) const {
    return kLeft + (v - across_.low) / (across_.high - across_.low) *
                       (kWidth - kLeft - kRight);
  }
  double y(double v) const {
    return kHeight - kBottom -
           (v - up_.low) / (up_.high - up_.low) * (kHeight - kTop - kBottom);
  }
  void line(double x1, double y1, double x2, double y2, const char* colour,
            double width = 1) {
    text_ += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
             number(x2) + "\" y2=\"" + number(y2) + "\" stroke=\"" + colour +
             "\" stroke-width=\"" + number(width) + "\"/>\n";
  }
  void write(double px, double py, const std::string& what, const char* anchor,
             const std::string& more = "") {
    text_ += "<text x=\"" + number(px) + "\" y=\"" + number(py) +
             "\" text-anchor=\"" + anchor + "\"" + more + ">" + svg_text(what) +
             "</text>\n";
  }

  void axes() {
    const double bottom = kHeight - kBottom, right = kWidth - kRight;
    const double step = step_of(up_);
    for (double v = std::ceil(up_.low / step) * step; v <= up_.high;
         v += step) {
      line(kLeft, y(v), right, y(v), "#DDDDDD");
      write(kLeft - 6, y(v) + 4, number(v, "%.4g"), "end");
    }
    line(kLeft, kTop, kLeft, bottom, "black");
    line(kLeft, bottom, right, bottom, "black");
    // Many numbers would run into each other.
    const size_t every = plot_.names.empty() ? 1 + points() / 9 : 1;
    for (size_t i = 0; i < points(); ++i) {
      line(x(at(i)), bottom, x(at(i)), bottom + 4, "black");
      if (i % every != 0) continue;
      if (plot_.names.empty())
        write(x(at(i)), bottom + 17, number(plot_.x[i], "%.6g"), "middle");
      else
        write(x(at(i)), bottom + 14, plot_.names[i], "end",
              " font-size=\"10\" transform=\"rotate(-30 " + number(x(at(i))) +
                  " " + number(bottom + 14) + ")\"");
    }
    write((kLeft + right) / 2, kTop - 16, plot_.title, "middle",
          " font-size=\"14\"");
    write((kLeft + right) / 2, kHeight - 12, plot_.x_label, "middle");
    write(18, (kTop + bottom) / 2, plot_.y_label, "middle",
          " transform=\"rotate(-90 18 " + number((kTop + bottom) / 2) + ")\"");
  }

  void series(size_t s) {
    const auto& one = plot_.series[s];
    const char* colour = kColours[s % std::size(kColours)];
    double before_x = NAN, before_y = NAN;
    for (size_t i = 0; i < points(); ++i) {
      if (!std::isfinite(one.y[i])) continue;
      const double px = x(at(i)), py = y(one.y[i]);
      if (!one.error.empty())
        line(px, y(one.y[i] - one.error[i]), px, y(one.y[i] + one.error[i]),
             colour, 1.5);
      if (plot_.names.empty() && std::isfinite(before_x))
        line(before_x, before_y, px, py, colour, 2);
      text_ += "<circle cx=\"" + number(px) + "\" cy=\"" + number(py) +
               "\" r=\"3.5\" fill=\"" + colour + "\"/>\n";
      before_x = px;
      before_y = py;
    }
    const double py = kTop + 18 * static_cast<double>(s) + 10;
    line(kWidth - kRight + 12, py - 4, kWidth - kRight + 32, py - 4, colour, 2);
    write(kWidth - kRight + 38, py, one.name, "start");
  }

  const Plot& plot_;
  Range across_, up_;
  std::string text_;
};

}  // namespace

std::string svg_text(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

std::string to_svg(const Plot& plot) { return Drawing(plot).draw(); }

}  // namespace protean
