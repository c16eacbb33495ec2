#include "trainer/half_wire.h"

#include <cmath>

#include <ATen/ATen.h>

namespace protean {
namespace {

constexpr double kLargestHalf = 65504;
// How much gradients may grow from one step to the next without being cut.
constexpr int kHeadroomBits = 3;

}  // namespace

HalfWire::HalfWire(DType type, int64_t size, int ranks, at::Device device)
    : type_(type),
      ranks_(ranks),
      residual_(at::zeros({size}, at::device(device).dtype(at::kFloat))) {}

at::Tensor HalfWire::encode(const at::Tensor& sums, int64_t exponent) {
  const auto owed = sums + residual_;
  if (type_ == DType::bf16) {
    const auto sent = owed.to(at::kBFloat16);
    residual_ = owed - sent.to(at::kFloat);
    return sent;
  }
  const double scale = std::ldexp(1.0, static_cast<int>(exponent));
  const double most = kLargestHalf / ranks_;
  const auto sent = (owed * scale).clamp(-most, most).to(at::kHalf);
  residual_ = owed - sent.to(at::kFloat) / scale;
  return sent;
}

at::Tensor HalfWire::decode(const at::Tensor& received,
                            int64_t exponent) const {
  const auto numbers = received.to(at::kFloat);
  return type_ == DType::bf16
             ? numbers
             : numbers / std::ldexp(1.0, static_cast<int>(exponent));
}

int64_t HalfWire::exponent_for(float largest) const {
  return std::ilogb(kLargestHalf / ranks_) - std::ilogb(largest) - 1 -
         kHeadroomBits;
}

}  // namespace protean
