#include "protean/core/half.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

using namespace protean;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Both formats: bits in order of magnitude are numbers in order of magnitude.
template <float (*Widen)(uint16_t), uint16_t (*Round)(float)>
void check_all(uint16_t infinity) {
  int wrong = 0;
  for (uint32_t i = 0; i < infinity; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float value = Widen(bits);
    wrong += Round(value) != bits;
    wrong += Round(-value) != (bits | 0x8000);
    const float next = Widen(static_cast<uint16_t>(i + 1));
    if (i + 1 == infinity) continue;
    wrong += !(value < next);
    // Half way goes to the even one, a little more or less to the nearer.
    const float middle = value + (next - value) / 2;
    wrong += Round(middle) != bits + (bits & 1);
    wrong += Round(std::nextafter(middle, kInfinity)) != bits + 1;
    wrong += Round(std::nextafter(middle, 0.f)) != bits;
  }
  CHECK(wrong == 0);
  CHECK(Widen(infinity) == kInfinity);
  CHECK(Round(kInfinity) == infinity);
  CHECK(Round(-kInfinity) == (infinity | 0x8000));
  CHECK(std::isnan(Widen(Round(std::numeric_limits<float>::quiet_NaN()))));
  CHECK(std::isnan(Widen(Round(-std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace

TEST_CASE("bfloat16 and binary16 round to the nearest, ties to even",
          "[core]") {
  check_all<bf16_to_float, float_to_bf16>(0x7F80);
  check_all<f16_to_float, float_to_f16>(0x7C00);
}

TEST_CASE("known bits of 16-bit floats", "[core]") {
  CHECK(float_to_f16(1.f) == 0x3C00);
  CHECK(float_to_f16(65504.f) == 0x7BFF);
  CHECK(float_to_f16(65519.f) == 0x7BFF);
  CHECK(float_to_f16(65520.f) == 0x7C00);  // infinite
  CHECK(float_to_f16(0x1p-24f) == 0x0001);
  CHECK(float_to_f16(0x1p-25f) == 0x0000);
  CHECK(float_to_bf16(1.f) == 0x3F80);
  CHECK(float_to_bf16(-3.140625f) == 0xC049);
}
