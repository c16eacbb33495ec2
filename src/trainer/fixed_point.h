// float32 sums as 64-bit fixed point, number * 2^exponent rounded half to even,
// so that their total does not depend on the order of the addends. Host and
// device give the same bits.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace protean {

// Of one segment in one step.
struct FixedScale {
  int64_t exponent = 0;
  int64_t stacks = 1;  // whose sums are added up

  // What one stays below so that the total fits.
  double limit() const;
  double factor() const;  // 2^exponent
};

// The largest exponent for elements below 2^magnitude_bits.
int64_t exponent_for(int magnitude_bits, int64_t stacks);

// What was seen of a stack's numbers. Where one is not finite (largest is
// infinite then), or too large for the scale (overflow), nothing was added.
struct Fit {
  float largest = 0;
  bool overflow = false;
};
// The same on a device: float32 () and bool (). Nothing is read.
struct DeviceFit {
  at::Tensor largest, overflow;
};

// Adds each of the n numbers to its own of `out`.
Fit add_fixed(const float* in, int64_t n, const FixedScale& scale,
              int64_t* out);
DeviceFit add_fixed(const at::Tensor& in, const FixedScale& scale,
                    const at::Tensor& out);

// Adds to out[0] the sum of `loss`, to out[1] that of `accuracy` (may be
// undefined) and to out[2] their number; (T) each, one per task. float32, on
// the host and on a device.
Fit add_fixed_losses(const at::Tensor& loss, const at::Tensor& accuracy,
                     const FixedScale& scale, int64_t* out);
DeviceFit add_fixed_losses(const at::Tensor& loss, const at::Tensor& accuracy,
                           const FixedScale& scale, const at::Tensor& out);

}  // namespace protean
