#include "protean/trainer/calibration.h"

#include <cmath>

#include <ATen/ATen.h>

#include "support/catch.h"

using namespace protean;

namespace {

Calibration of(const at::Tensor& logits, const Part& part) {
  const auto sums = calibration_sums(logits, part);
  Calibration c;
  for (int64_t t = 0; t < sums.size(0); ++t)
    c.add(sums[t].contiguous().data_ptr<double>());
  return c;
}

// Logits of two classes, the first with probability p.
at::Tensor two(const std::vector<double>& p) {
  auto logits = at::zeros({1, static_cast<int64_t>(p.size()), 2}, at::kDouble);
  for (size_t i = 0; i < p.size(); ++i)
    logits[0][static_cast<int64_t>(i)][0] = std::log(p[i] / (1 - p[i]));
  return logits;
}

}  // namespace

TEST_CASE("calibration error is the gap of each bin by its share",
          "[trainer]") {
  // Bins of 1/15: 0.9 and 0.91 share one, 0.6 has another. All say class 0.
  Part part;
  part.y = at::tensor({0, 1, 0, 0}, at::kLong).view({1, 4});
  const auto c = of(two({0.9, 0.91, 0.6, 0.6}), part);
  const double high = std::abs(1 - (0.9 + 0.91)), low = std::abs(2 - 1.2);
  CHECK(c.error() == Approx((high + low) / 4).margin(1e-12));
}

TEST_CASE("certain and right is calibrated, certain and wrong is not",
          "[trainer]") {
  auto logits = at::zeros({2, 3, 4}, at::kFloat);
  logits.select(2, 2).fill_(100);
  Part part;
  part.y = at::full({2, 3}, 2, at::kLong);
  CHECK(of(logits, part).error() == Approx(0).margin(1e-12));
  part.y.fill_(1);
  CHECK(of(logits, part).error() == Approx(1));
}

TEST_CASE("padding is not a prediction", "[trainer]") {
  Part part;
  part.y = at::tensor({0, 1}, at::kLong).view({1, 2});
  part.weight = at::tensor({1.f, 0.f}).view({1, 2});
  CHECK(of(two({0.75, 0.99}), part).error() == Approx(0.25));
  CHECK(std::isnan(Calibration().error()));
}
