#include "trainer/slot_words.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

namespace protean {
namespace {

constexpr int kMantissaBits = 24;  // of float32, the hidden one included
constexpr int kExponentShift = 26;
constexpr float kMost = std::numeric_limits<float>::max();

// Odd factors that no two places of a buffer share.
at::Tensor factors(int64_t n, const at::Tensor& like) {
  constexpr int64_t kStep = 0x5851F42D4C957F2D;
  return at::arange(n, like.options().dtype(at::kLong))
      .mul_(kStep)
      .bitwise_or_(1);
}

}  // namespace

int64_t word_of(float number) {
  if (std::isnan(number)) return 0;
  int exponent = 0;
  const float mantissa =
      std::frexp(std::clamp(number, -kMost, kMost), &exponent);
  return int64_t{exponent} * (int64_t{1} << kExponentShift) +
         static_cast<int64_t>(std::ldexp(mantissa, kMantissaBits));
}

float number_of(int64_t word) {
  constexpr int64_t kHalf = int64_t{1} << (kExponentShift - 1);
  const int64_t exponent = (word + kHalf) >> kExponentShift;
  const int64_t mantissa = word - exponent * (int64_t{1} << kExponentShift);
  return std::ldexp(static_cast<float>(mantissa),
                    static_cast<int>(exponent) - kMantissaBits);
}

at::Tensor words_of(const at::Tensor& numbers) {
  const auto [mantissa, exponent] =
      at::frexp(numbers.nan_to_num(0, kMost, -kMost));
  return exponent.to(at::kLong) * (int64_t{1} << kExponentShift) +
         mantissa.mul(int64_t{1} << kMantissaBits).to(at::kLong);
}

at::Tensor as_sixteenths(const at::Tensor& words) {
  std::vector<at::Tensor> parts;
  for (int shift = 0; shift < 64; shift += 16)
    parts.push_back(words.bitwise_right_shift(shift).bitwise_and(0xFFFF));
  return at::stack(parts, 1).flatten().to(at::kFloat);
}

at::Tensor fingerprint(const MetaView& meta) {
  auto sum = at::zeros({}, meta.theta.options().dtype(at::kLong));
  int64_t weight = 1;
  for (const auto& t : {meta.theta, meta.state}) {
    const auto words = words_of(t);
    sum.add_((words * factors(t.numel(), t)).sum(), weight);
    weight += 2;
  }
  return sum;
}

}  // namespace protean
