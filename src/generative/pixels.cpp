#include "generative/pixels.h"

#include <cmath>

#include <ATen/ATen.h>

namespace protean {

at::Tensor pixel_log_likelihood(const at::Tensor& logits, const at::Tensor& x,
                                bool binary) {
  auto log_p = logits * x - at::softplus(logits);
  if (!binary) {
    // The normaliser is logit / tanh(logit / 2), 2 at 0.
    const auto small = logits.abs() < 0.02;
    const auto safe = at::where(small, at::ones_like(logits), logits);
    log_p = log_p + at::where(small, std::log(2.0) + logits.square() / 12,
                              (safe / at::tanh(safe / 2)).log());
  }
  return log_p.sum({-3, -2, -1});
}

at::Tensor pixels(const at::Tensor& logits, bool binary) {
  // 0 * keeps what is not finite.
  return binary ? (logits > 0).to(logits.scalar_type()) + 0 * logits
                : at::sigmoid(logits);
}

}  // namespace protean
