#include "protean/trainer/calibration.h"

#include <cmath>
#include <limits>

#include <ATen/ops/zeros.h>

namespace protean {

double Calibration::error() const {
  double total = 0, gap = 0;
  for (int b = 0; b < kBins; ++b) {
    total += count[b];
    gap += std::abs(right[b] - confidence[b]);
  }
  return total > 0 ? gap / total : std::numeric_limits<double>::quiet_NaN();
}

void Calibration::add(const double* row) {
  for (int b = 0; b < kBins; ++b) {
    count[b] += row[b];
    confidence[b] += row[kBins + b];
    right[b] += row[2 * kBins + b];
  }
}

at::Tensor calibration_sums(const at::Tensor& logits, const Part& part) {
  constexpr int kBins = Calibration::kBins;
  const auto [confidence, choice] =
      logits.detach().to(at::kDouble).softmax(-1).max(-1);  // (T, n)
  const auto y = part.y.flatten(1);  // several labels per example
  auto weight = at::ones_like(confidence);
  if (part.weight.defined())
    weight = part.weight.to(at::kDouble)
                 .repeat_interleave(y.size(1) / part.weight.size(1), 1);
  const auto bin = (confidence * kBins).to(at::kLong).clamp(0, kBins - 1);
  const auto right = choice.eq(y).to(at::kDouble);
  const int64_t tasks = logits.size(0);
  auto sums = at::zeros({tasks, 3, kBins}, weight.options());
  sums.select(1, 0).scatter_add_(1, bin, weight);
  sums.select(1, 1).scatter_add_(1, bin, weight * confidence);
  sums.select(1, 2).scatter_add_(1, bin, weight * right);
  return sums.view({tasks, 3 * kBins});
}

}  // namespace protean
