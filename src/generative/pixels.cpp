#include "generative/pixels.h"

#include <algorithm>
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
  const auto p = at::sigmoid(logits);
  return binary ? most_likely(p) : p;
}

at::Tensor most_likely(const at::Tensor& p) {
  const auto flat = p.flatten(-3);
  const auto ink = flat.sum(-1, true)  // (..., 1)
                       .round()
                       .nan_to_num(0)
                       .to(at::kLong);
  // On a CPU no more is put in order than is looked at; elsewhere to ask how
  // much that is would cost more.
  const int64_t most = flat.is_cpu()
                           ? std::max<int64_t>(ink.max().item<int64_t>(), 1)
                           : flat.size(-1);
  const auto least =
      std::get<0>(flat.topk(most)).gather(-1, (ink - 1).clamp_min(0));
  // 0 * keeps what is not finite.
  return ((flat >= least) & (ink > 0)).to(p.scalar_type()).view(p.sizes()) +
         0 * p;
}

}  // namespace protean
