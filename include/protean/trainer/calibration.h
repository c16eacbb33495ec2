// How far a classifier's confidence is from its accuracy: expected calibration
// error (Naeini et al. 2015; Guo et al. 2017, arXiv:1706.04599, equation 3).
//
// Confidence is the probability of the predicted class. Predictions fall into
// kBins bins of equal width; the error is the mean over predictions of
// |accuracy - mean confidence| of their bin.
#pragma once

#include <array>

#include <ATen/core/Tensor.h>

#include "protean/tasks/task_batch.h"

namespace protean {

struct Calibration {
  static constexpr int kBins = 15;
  // Sums over predictions, bin by bin.
  std::array<double, kBins> count{}, confidence{}, right{};

  // In [0, 1]; NaN without a prediction.
  double error() const;
  // Adds one task's row of calibration_sums().
  void add(const double* row);
};

// Count, summed confidence and right answers of every bin per task, (T, 3 *
// Calibration::kBins) double, where the logits are. logits: (T, n, N).
at::Tensor calibration_sums(const at::Tensor& logits, const Part& part);

}  // namespace protean
