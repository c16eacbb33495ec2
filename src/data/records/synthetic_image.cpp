#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "protean/core/hash.h"
#include "protean/core/philox.h"
#include "protean/data/records/synthesise.h"

namespace protean {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

// What all images of a class share.
struct Figure {
  static constexpr int kAngles = 256;
  std::array<double, kAngles> radius;  // by angle, about 1
  double stripes, slant;               // per radius; radians

  explicit Figure(Draws draws) {
    double size[4], phase[4];
    for (int k = 0; k < 4; ++k) {
      size[k] = draws.uniform(-1, 1) * 0.35 / std::sqrt(k + 1.0);
      phase[k] = draws.uniform(0, kTurn);
    }
    for (int a = 0; a < kAngles; ++a) {
      double r = 1;
      for (int k = 0; k < 4; ++k)
        r += size[k] * std::cos((k + 2) * a * kTurn / kAngles + phase[k]);
      radius[a] = std::max(r, 0.15);
    }
    stripes = draws.uniform(1, 4);
    slant = draws.uniform(0, std::numbers::pi);
  }
};

struct Colour {
  double channel[3];
  double brightness() const {
    return 0.3 * channel[0] + 0.59 * channel[1] + 0.11 * channel[2];
  }
};

Colour draw_colour(Draws& draws) {
  Colour colour{};
  for (double& c : colour.channel) c = draws.uniform(20, 235);
  return colour;
}

// What this one has of its own.
struct Pose {
  double x, y, size, turn, shade, shade_turn;
  Colour figure, ground;

  explicit Pose(Draws& draws) {
    x = draws.uniform(-0.2, 0.2);
    y = draws.uniform(-0.2, 0.2);
    size = draws.uniform(0.42, 0.62);
    turn = draws.uniform(-0.4, 0.4);
    shade = draws.uniform(0, 40);
    shade_turn = draws.uniform(0, kTurn);
    figure = draw_colour(draws);
    do ground = draw_colour(draws);
    while (std::abs(ground.brightness() - figure.brightness()) < 50);
  }
};

// Uniform noise in [-12, 12], quick: there is one number per value.
double noise(uint64_t seed, uint64_t place) {
  uint64_t x = seed + place * 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return static_cast<double>((x ^ (x >> 31)) >> 40) * (24.0 / (1 << 24)) - 12;
}

// How much of the figure shows at a place given in its radii: 0 to 1.
double cover(const Figure& figure, double x, double y) {
  const double r = std::sqrt(x * x + y * y);
  if (r >= 2.5) return 0;
  const double angle = std::atan2(y, x) / kTurn * Figure::kAngles;
  const int a = static_cast<int>(std::floor(angle)) & (Figure::kAngles - 1);
  if (r >= figure.radius[a]) return 0;
  const double along = x * std::cos(figure.slant) + y * std::sin(figure.slant);
  return std::sin(kTurn * figure.stripes * along) > 0 ? 1 : 0.35;
}

}  // namespace

Image synthetic_image(const std::string& name, uint32_t cls, uint32_t image,
                      uint32_t side, uint64_t seed) {
  Hash64 hash;
  hash.add(name.data(), name.size());
  hash.add(seed);
  const uint64_t own = hash.value();
  const Figure figure(Draws(own, {Stream::train, cls, 0}, Purpose::family));
  Draws draws(own, {Stream::train, cls, image}, Purpose::points);
  const Pose pose(draws);
  const uint64_t grain = uint64_t{draws.next()} << 32 | draws.next();
  const double c = std::cos(pose.turn), s = std::sin(pose.turn);
  const double sx = std::cos(pose.shade_turn), sy = std::sin(pose.shade_turn);
  Image out{side, side, 3, {}};
  out.pixels.reserve(size_t{side} * side * 3);
  for (uint32_t row = 0; row < side; ++row)
    for (uint32_t column = 0; column < side; ++column) {
      const double x = 2 * (column + 0.5) / side - 1;
      const double y = 2 * (row + 0.5) / side - 1;
      const double ox = (x - pose.x) / pose.size, oy = (y - pose.y) / pose.size;
      const double shows = cover(figure, c * ox + s * oy, c * oy - s * ox);
      const double shade = pose.shade * (sx * x + sy * y);
      for (int channel = 0; channel < 3; ++channel) {
        const double ground = pose.ground.channel[channel] + shade;
        const double value = ground +
                             shows * (pose.figure.channel[channel] - ground) +
                             noise(grain, out.pixels.size());
        out.pixels.push_back(
            static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
  return out;
}

}  // namespace protean
