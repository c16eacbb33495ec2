#include "protean/generative/analysis/tsne.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

// Early exaggeration and the rate that goes with it: Belkina et al. 2019,
// doi:10.1101/451690.
constexpr double kExaggeration = 12, kLeastRate = 50;

void check(const at::Tensor& x, double perplexity) {
  if (x.dim() != 2 || x.size(0) > kMostTsnePoints || !(perplexity >= 1) ||
      !(perplexity < static_cast<double>(x.size(0) - 1)))
    throw Error(concat("t-SNE of points ", x.sizes(), " with perplexity ",
                       perplexity, "; expected (n, d) with n up to ",
                       kMostTsnePoints, " and 1 <= perplexity < n - 1"));
  if (!at::isfinite(x).all().item<bool>())
    throw NumericError("t-SNE: points are not finite");
}

// One row of neighbour_shares: exp(-precision * (d - least)), normalised.
class Row {
 public:
  // x (n, d), contiguous; of point `self`.
  Row(const at::Tensor& x, int64_t self)
      : squares_(static_cast<size_t>(x.size(0))),
        self_(static_cast<size_t>(self)) {
    const int64_t d = x.size(1);
    const double* own = x.const_data_ptr<double>() + self * d;
    const double* other = x.const_data_ptr<double>();
    for (size_t j = 0; j < squares_.size(); ++j, other += d) {
      for (int64_t k = 0; k < d; ++k)
        squares_[j] += (own[k] - other[k]) * (own[k] - other[k]);
      if (j != self_) least_ = std::min(least_, squares_[j]);
    }
  }

  // Writes the row; returns its entropy in nats.
  double fill(double precision, double* row) const {
    double sum = 0, mean = 0;
    for (size_t j = 0; j < squares_.size(); ++j) {
      const double d = squares_[j] - least_;
      row[j] = j == self_ ? 0 : std::exp(-precision * d);
      sum += row[j];
      mean += row[j] * d;
    }
    for (size_t j = 0; j < squares_.size(); ++j) row[j] /= sum;
    return std::log(sum) + precision * mean / sum;
  }

  // Entropy falls with the precision: doubled or halved until it lies between
  // two, then halfway between them.
  void calibrate(double entropy, double* row) const {
    constexpr int kRounds = 200;
    double low = 0, high = INFINITY, precision = 1;
    for (int round = 0; round < kRounds; ++round) {
      const double excess = fill(precision, row) - entropy;
      if (std::abs(excess) < 1e-10) return;
      (excess > 0 ? low : high) = precision;
      precision = std::isinf(high) ? 2 * low : (low + high) / 2;
      if (precision == low || std::isinf(precision)) return;
    }
  }

 private:
  std::vector<double> squares_;  // of distances to every point
  size_t self_;
  double least_ = INFINITY;
};

// Descent on the divergence of q, neighbours by a Student t density in the
// plane, from p.
class Descent {
 public:
  // p (n, n): symmetric, sums to 1.
  Descent(const at::Tensor& p, uint64_t seed)
      : n_(static_cast<size_t>(p.size(0))),
        p_(p.const_data_ptr<double>()),
        near_(n_ * n_),
        at_(2 * n_),
        speed_(2 * n_, 0),
        gain_(2 * n_, 1) {
    Draws draws(seed, {}, Purpose::latent);
    for (auto& v : at_) v = 1e-4 * draws.normal();
  }

  void step(double exaggeration, double momentum, double rate) {
    const double sum = fill_near();
    for (size_t i = 0; i < n_; ++i) {
      double gx = 0, gy = 0;
      for (size_t j = 0; j < n_; ++j) {
        const double w = near_[i * n_ + j];
        const double pull = (exaggeration * p_[i * n_ + j] - w / sum) * w;
        gx += pull * (at_[i] - at_[j]);
        gy += pull * (at_[n_ + i] - at_[n_ + j]);
      }
      move(i, 4 * gx, momentum, rate);
      move(n_ + i, 4 * gy, momentum, rate);
    }
    for (size_t i = 0; i < 2 * n_; ++i) at_[i] += speed_[i];
  }

  at::Tensor points() const {
    auto out = at::empty({static_cast<int64_t>(n_), 2}, at::kDouble);
    for (size_t i = 0; i < n_; ++i) {
      out.data_ptr<double>()[2 * i] = at_[i];
      out.data_ptr<double>()[2 * i + 1] = at_[n_ + i];
    }
    return out - out.mean(0, true);
  }

 private:
  // near[i, j] = 1 / (1 + |y_i - y_j|^2), 0 for i = j; returns its sum.
  double fill_near() {
    double sum = 0;
    for (size_t i = 0; i < n_; ++i) {
      double* row = &near_[i * n_];
      for (size_t j = 0; j < n_; ++j) {
        const double dx = at_[i] - at_[j], dy = at_[n_ + i] - at_[n_ + j];
        row[j] = 1 / (1 + dx * dx + dy * dy);
      }
      row[i] = 0;
      for (size_t j = 0; j < n_; ++j) sum += row[j];
    }
    return sum;
  }

  // A coordinate's rate grows while it goes one way and shrinks when it turns
  // (Jacobs 1988), as in the paper.
  void move(size_t i, double gradient, double momentum, double rate) {
    const bool onward = (gradient > 0) != (speed_[i] > 0);
    gain_[i] = std::max(onward ? gain_[i] + 0.2 : 0.8 * gain_[i], 0.01);
    speed_[i] = momentum * speed_[i] - rate * gain_[i] * gradient;
  }

  size_t n_;
  const double* p_;
  std::vector<double> near_;
  std::vector<double> at_, speed_, gain_;  // all x, then all y
};

}  // namespace

at::Tensor neighbour_shares(const at::Tensor& points, double perplexity) {
  check(points, perplexity);
  const auto x = points.to(at::kDouble).contiguous();
  const int64_t n = x.size(0);
  auto shares = at::empty({n, n}, at::kDouble);
  for (int64_t i = 0; i < n; ++i)
    Row(x, i).calibrate(std::log(perplexity),
                        shares.data_ptr<double>() + i * n);
  return shares;
}

at::Tensor tsne(const at::Tensor& x, const TsneOptions& o) {
  const auto shares = neighbour_shares(x, o.perplexity);
  const double n = static_cast<double>(x.size(0));
  const auto p =
      ((shares + shares.t()) / (2 * n)).clamp_min(1e-12).contiguous();
  const double rate = std::max(n / kExaggeration / 4, kLeastRate);
  Descent descent(p, o.seed);
  for (int round = 0; round < o.rounds; ++round) {
    const bool early = round < o.rounds / 4;
    descent.step(early ? kExaggeration : 1, early ? 0.5 : 0.8, rate);
  }
  return descent.points();
}

}  // namespace protean
