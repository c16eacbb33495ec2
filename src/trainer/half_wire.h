// Gradient sums as 16-bit numbers, half the bytes of float32. What rounding
// takes from one step is added to the next one (error feedback: Seide et al.
// 2014, INTERSPEECH 1058-1062; Karimireddy et al. 2019, arXiv:1901.09847), so
// that no part of a gradient is lost for good.
#pragma once

#include <ATen/core/Tensor.h>

#include "protean/comm/communicator.h"

namespace protean {

class HalfWire {
 public:
  // type: bf16 or f16. ranks: whose numbers are summed on the wire.
  HalfWire(DType type, int64_t size, int ranks, at::Device device);

  DType type() const { return type_; }
  // sums: float32. -> what travels, of 16-bit type; the rest stays behind. f16
  // has few exponents: numbers are scaled by 2^exponent, and those that still
  // do not fit are cut, which is a kind of rounding too.
  at::Tensor encode(const at::Tensor& sums, int64_t exponent);
  // -> float32
  at::Tensor decode(const at::Tensor& received, int64_t exponent) const;
  // The exponent for numbers up to `largest` on each rank.
  int64_t exponent_for(float largest) const;

  // What is still to be sent, float32 (size); may be written to.
  at::Tensor& residual() { return residual_; }

 private:
  DType type_;
  int ranks_;
  at::Tensor residual_;
};

}  // namespace protean
