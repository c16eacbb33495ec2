// Places in a picture, read back from its text.
#include "protean/core/svg_plot.h"

#include <regex>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

using Numbers = std::vector<double>;

// The numbers that the groups of the pattern match, place by place.
std::vector<Numbers> find(const std::string& svg, const std::string& pattern) {
  std::vector<Numbers> out;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(svg.begin(), svg.end(), regex), end; at != end;
       ++at) {
    Numbers numbers;
    for (size_t g = 1; g < at->size(); ++g)
      numbers.push_back(std::stod((*at)[g]));
    out.push_back(numbers);
  }
  return out;
}

const std::string kNumber = "=\"(-?[0-9.]+)\"";

std::vector<Numbers> points(const std::string& svg) {
  return find(svg, "<circle cx" + kNumber + " cy" + kNumber);
}

std::vector<Numbers> bars(const std::string& svg) {
  return find(svg, "<line x1" + kNumber + " y1" + kNumber + " x2" + kNumber +
                       " y2" + kNumber +
                       " stroke=\"#[0-9A-F]*\" stroke-width=\"1.5\"");
}

Plot plot() {
  Plot p;
  p.title = "a < b & c";
  p.x = {1, 10, 100};
  p.log_x = true;
  p.series = {{"first", {20, 30, 60}, {5, 5, 20}}};
  return p;
}

}  // namespace

TEST_CASE("a logarithmic axis puts factors at equal distances", "[core]") {
  const auto at = points(to_svg(plot()));
  REQUIRE(at.size() == 3);
  CHECK(at[1][0] - at[0][0] == Approx(at[2][0] - at[1][0]).margin(0.2));
  auto linear = plot();
  linear.log_x = false;
  const auto plain = points(to_svg(linear));
  CHECK((plain[2][0] - plain[1][0]) / (plain[1][0] - plain[0][0]) ==
        Approx(10).margin(0.1));
}

// Upwards y falls: 10 from the first value to the second, 30 to the third.
TEST_CASE("values and error bars have one scale", "[core]") {
  const auto svg = to_svg(plot());
  const auto at = points(svg), bar = bars(svg);
  const double unit = (at[0][1] - at[1][1]) / 10;
  CHECK(unit > 0);
  CHECK(at[1][1] - at[2][1] == Approx(30 * unit).margin(0.2));
  REQUIRE(bar.size() == 3);
  const Numbers errors = {5, 5, 20};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(bar[i][0] == at[i][0]);
    CHECK(bar[i][2] == at[i][0]);
    CHECK(bar[i][1] - at[i][1] == Approx(errors[i] * unit).margin(0.2));
    CHECK(at[i][1] - bar[i][3] == Approx(errors[i] * unit).margin(0.2));
  }
}

// The frame is from y = 40 to 350, from x = 70 to 490.
TEST_CASE("points, bars and ticks lie within the frame", "[core]") {
  const auto svg = to_svg(plot());
  for (const auto& p : points(svg)) {
    CHECK((p[0] > 70 && p[0] < 490));
    CHECK((p[1] > 40 && p[1] < 350));
  }
  for (const auto& b : bars(svg)) CHECK((b[1] < 350 && b[3] > 40));
  // Values 15 to 80: ticks at 20, 40, 60, 80, each at its value's height.
  const auto at = points(svg);
  const double unit = (at[0][1] - at[1][1]) / 10;
  const auto ticks = find(
      svg, "<text x=\"64.0\" y" + kNumber + " text-anchor=\"end\">([0-9.]+)<");
  REQUIRE(ticks.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(ticks[i][1] == 20.0 * static_cast<double>(i + 1));
    CHECK(at[0][1] - (ticks[i][0] - 4) ==
          Approx((ticks[i][1] - 20) * unit).margin(0.3));
  }
}

TEST_CASE("a value that is none has no point, words are text", "[core]") {
  auto p = plot();
  p.series[0].y[1] = NAN;
  const auto svg = to_svg(p);
  CHECK(points(svg).size() == 2);
  CHECK(svg.find(">a &lt; b &amp; c</text>") != std::string::npos);
  p.series[0].y = {NAN, NAN, NAN};
  CHECK_THROWS_WITH(to_svg(p), contains("has no value to show"));
}
