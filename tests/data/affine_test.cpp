#include "protean/data/affine.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "support/catch.h"

using namespace protean;

namespace {

// 5x5 with pixel (y, x) = 10 y + x.
std::vector<float> grid() {
  std::vector<float> image(25);
  for (int i = 0; i < 25; ++i)
    image[static_cast<size_t>(i)] = static_cast<float>(i / 5 * 10 + i % 5);
  return image;
}

std::vector<float> warped(const std::vector<float>& image, const Affine& map) {
  std::vector<float> out(image.size(), -1);
  warp(image.data(), 1, 5, map, out.data());
  return out;
}

float at(const std::vector<float>& image, int y, int x) {
  return image[static_cast<size_t>(5 * y + x)];
}

Draws draws(uint32_t slot) {
  return {7, {Stream::train, 3, 1}, Purpose::augment, slot};
}

}  // namespace

TEST_CASE("no range, no change", "[data][affine]") {
  auto d = draws(0);
  const Affine none = draw_affine(d, {}, 5);
  CHECK(warped(grid(), none) == grid());
  // Left out always is the same.
  auto e = draws(1);
  const Affine left_out = draw_affine(
      e, {.turn = 90, .shear = 1, .scale = 1, .shift = 1, .leave_out = 1}, 5);
  CHECK(warped(grid(), left_out) == grid());
}

TEST_CASE("known maps move known pixels", "[data][affine]") {
  const auto image = grid();
  SECTION("a shift by one and a half pixels, zeros from outside") {
    const auto out = warped(image, {.x = 1.5, .y = 1});
    CHECK(at(out, 0, 0) == Approx(11.5));
    CHECK(at(out, 2, 1) == Approx(32.5));
    CHECK(at(out, 0, 3) == Approx(7));  // half of 14, half outside
    CHECK(at(out, 0, 4) == 0);
    CHECK(at(out, 4, 0) == 0);
  }
  SECTION("a mirror swaps left and right") {
    auto d = draws(2);
    const auto out = warped(image, draw_affine(d, {.mirror = 1}, 5));
    for (int y = 0; y < 5; ++y)
      for (int x = 0; x < 5; ++x) CHECK(at(out, y, x) == at(image, y, 4 - x));
  }
  SECTION("a quarter turn") {
    const auto out = warped(image, {.xx = 0, .xy = -1, .yx = 1, .yy = 0});
    for (int y = 0; y < 5; ++y)
      for (int x = 0; x < 5; ++x)
        CHECK(at(out, y, x) == Approx(at(image, x, 4 - y)));
  }
  SECTION("far away there is nothing") {
    const auto out = warped(image, {.x = -1e9, .y = 1e9});
    CHECK(std::all_of(out.begin(), out.end(), [](float v) { return v == 0; }));
  }
  SECTION("every channel alike") {
    auto two = image;
    two.insert(two.end(), image.begin(), image.end());
    std::vector<float> out(50);
    const Affine map{.xx = 0.9, .xy = 0.2, .x = 0.3};
    warp(two.data(), 2, 5, map, out.data());
    CHECK(std::equal(out.begin(), out.begin() + 25, out.begin() + 25));
    CHECK(std::vector<float>(out.begin(), out.begin() + 25) ==
          warped(image, map));
  }
}

TEST_CASE("a product goes through the second factor first", "[data][affine]") {
  const Affine shift{.x = 2, .y = -1};
  const Affine turn{.xx = 0, .xy = -1, .yx = 1, .yy = 0};
  const Affine both = turn * shift;  // o -> o + (2, -1) -> turned
  CHECK(both.x == 1);
  CHECK(both.y == 2);
  CHECK(both.xy == -1);
  CHECK((shift * turn).x == 2);
}

TEST_CASE("components stay in their ranges and are left out as asked",
          "[data][affine]") {
  const int kDraws = 4000;
  int still = 0, mirrored = 0;
  double angle = 0, shift = 0, scale = 0;
  for (uint32_t i = 0; i < kDraws; ++i) {
    auto d = draws(i);
    const Affine turn = draw_affine(d, {.turn = 10}, 28);
    angle = std::max(angle, std::abs(std::atan2(turn.yx, turn.xx)));
    auto e = draws(i);
    const Affine moved = draw_affine(e, {.shift = 0.1, .leave_out = 0.5}, 28);
    shift = std::max({shift, std::abs(moved.x), std::abs(moved.y)});
    still += moved.x == 0;
    auto f = draws(i);
    const Affine sized = draw_affine(f, {.scale = 0.2, .mirror = 0.5}, 28);
    scale = std::max(scale, std::abs(std::abs(sized.xx) - 1));
    mirrored += sized.xx < 0;
    CHECK(sized.yy > 0);
  }
  const double ten = 10 * std::numbers::pi / 180;
  CHECK(angle <= ten);
  CHECK(angle > 0.99 * ten);
  CHECK(shift <= 2.8);
  CHECK(shift > 2.75);
  CHECK(scale <= 0.2);
  CHECK(scale > 0.19);
  CHECK(std::abs(still - kDraws / 2) < 160);  // 5 sigma
  CHECK(std::abs(mirrored - kDraws / 2) < 160);
}
