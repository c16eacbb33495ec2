#include "trainer/fixed_point.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

namespace protean {
namespace {

// Sums stay below 2^62, so that nothing that int64 holds is lost.
constexpr int kSumBits = 62;
constexpr float kInfinite = std::numeric_limits<float>::infinity();

// The largest magnitude; infinite where one is none.
float largest_of(const float* in, int64_t n) {
  float largest = 0;
  bool finite = true;
  for (int64_t i = 0; i < n; ++i) {
    const float a = std::abs(in[i]);
    finite &= a <= std::numeric_limits<float>::max();
    largest = a > largest ? a : largest;
  }
  return finite ? largest : kInfinite;
}

at::Tensor largest_of(const at::Tensor& in) {
  const auto largest = in.abs().max();
  return largest.nan_to_num(kInfinite, kInfinite);
}

// llrint: adding and taking away 1.5 * 2^52 would round, but only below 2^51;
// the conversion instruction rounds to nearest even at any size.
int64_t fixed(float number, double factor) {
  return std::llrint(static_cast<double>(number) * factor);
}

// Zeros where the numbers are not `fine`: what is not finite has no integer.
at::Tensor fixed(const at::Tensor& numbers, double factor,
                 const at::Tensor& fine) {
  return numbers.to(at::kDouble)
      .mul_(factor)
      .masked_fill_(fine.logical_not(), 0)
      .round_()
      .to(at::kLong);
}

// Whether numbers up to `largest` are below the limit; false where it is not
// finite.
at::Tensor fits(const at::Tensor& largest, const FixedScale& scale) {
  return (largest.to(at::kDouble) * scale.factor()).lt(scale.limit());
}

DeviceFit seen(const at::Tensor& largest, const at::Tensor& fine) {
  return {largest, fine.logical_not().logical_and(largest.isfinite())};
}

}  // namespace

double FixedScale::limit() const {
  return std::ldexp(1.0, kSumBits) / static_cast<double>(stacks);
}

double FixedScale::factor() const {
  return std::ldexp(1.0, static_cast<int>(exponent));
}

int64_t exponent_for(int magnitude_bits, int64_t stacks) {
  return kSumBits - magnitude_bits -
         std::bit_width(static_cast<uint64_t>(stacks));
}

Fit add_fixed(const float* in, int64_t n, const FixedScale& scale,
              int64_t* out) {
  const float largest = largest_of(in, n);
  if (largest == kInfinite) return {largest, false};
  const double factor = scale.factor();
  if (largest * factor >= scale.limit()) return {largest, true};
  for (int64_t i = 0; i < n; ++i) out[i] += fixed(in[i], factor);
  return {largest, false};
}

DeviceFit add_fixed(const at::Tensor& in, const FixedScale& scale,
                    const at::Tensor& out) {
  if (in.numel() == 0)
    return {at::zeros({}, in.options()),
            at::zeros({}, in.options().dtype(at::kBool))};
  const auto largest = largest_of(in);
  const auto fine = fits(largest, scale);
  out.add_(fixed(in, scale.factor(), fine));
  return seen(largest, fine);
}

Fit add_fixed_losses(const at::Tensor& loss, const at::Tensor& accuracy,
                     const FixedScale& scale, int64_t* out) {
  const int64_t tasks = loss.numel();
  const auto count = static_cast<float>(tasks);
  const float* rows[] = {
      loss.const_data_ptr<float>(),
      accuracy.defined() ? accuracy.const_data_ptr<float>() : nullptr};
  float largest = 1;
  for (const float* row : rows)
    if (row) largest = std::max(largest, largest_of(row, tasks));
  largest *= count;
  if (largest == kInfinite) return {largest, false};
  const double factor = scale.factor();
  if (largest * factor >= scale.limit()) return {largest, true};
  for (size_t k = 0; k < 2; ++k)
    for (int64_t i = 0; rows[k] && i < tasks; ++i)
      out[k] += fixed(rows[k][i], factor);
  out[2] += fixed(count, factor);
  return {largest, false};
}

DeviceFit add_fixed_losses(const at::Tensor& loss, const at::Tensor& accuracy,
                           const FixedScale& scale, const at::Tensor& out) {
  const auto count = static_cast<float>(loss.numel());
  const auto rows = accuracy.defined() ? at::stack({loss, accuracy})
                                       : loss.unsqueeze(0);  // (1 or 2, T)
  const auto largest = largest_of(rows).clamp_min(1).mul(count);
  const auto fine = fits(largest, scale);
  out.narrow(0, 0, rows.size(0)).add_(fixed(rows, scale.factor(), fine).sum(1));
  // Where it does not fit, the step is made again.
  if (count * scale.factor() < scale.limit())
    out.narrow(0, 2, 1).add_(fixed(count, scale.factor()));
  return seen(largest, fine);
}

}  // namespace protean
