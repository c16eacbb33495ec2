#include "protean/generative/analysis/mixture.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

#include "protean/core/error.h"

namespace protean {
namespace {

constexpr int64_t kBlock = 4096;  // points at a time
constexpr double kFloor = 0.01, kLeastGain = 1e-9;

// What the points say of every component: how many, sum and sum of squares.
struct Sums {
  Sums(int64_t k, const at::Tensor& x)
      : count(at::zeros({k}, x.options())),
        first(at::zeros({k, x.size(1)}, x.options())),
        second(at::zeros({k, x.size(1)}, x.options())) {}
  // share (block, k): of each point, of which component it is.
  void add(const at::Tensor& x, const at::Tensor& share) {
    count += share.sum(0);
    first += at::mm(share.t(), x);
    second += at::mm(share.t(), x.square());
  }
  at::Tensor count, first, second;
};

template <typename Visit>  // visit(begin, count)
void by_blocks(int64_t n, const Visit& visit) {
  for (int64_t begin = 0; begin < n; begin += kBlock)
    visit(begin, std::min(kBlock, n - begin));
}

void maximise(const Sums& sums, const at::Tensor& floor, Mixture& m) {
  const auto count = sums.count.clamp_min(1e-300).unsqueeze(1);
  m.weights = sums.count / sums.count.sum();
  m.means = sums.first / count;
  m.variances = at::maximum(sums.second / count - m.means.square(), floor);
}

// Log of weight times density, (block, k); -inf where a component is empty.
at::Tensor log_joint(const Mixture& m, const at::Tensor& x) {
  const auto precision = m.variances.reciprocal();
  const auto constant =
      m.weights.log() - 0.5 * ((2 * std::numbers::pi * m.variances).log() +
                               m.means.square() * precision)
                                  .sum(1);
  return at::addmm(constant.unsqueeze(0), x.square(), precision.t(), 1, -0.5) +
         at::mm(x, (m.means * precision).t());
}

}  // namespace

Mixture fit_mixture(const at::Tensor& points, const at::Tensor& start,
                    int rounds) {
  if (points.dim() != 2 || points.size(0) < 1 ||
      start.numel() != points.size(0))
    throw Error(concat("fit_mixture: points ", points.sizes(), " and ",
                       start.numel(), " groups; expected (n, d) and n"));
  const int64_t n = points.size(0);
  const int64_t k = start.max().item<int64_t>() + 1;
  // About their mean: variances come from sums of squares.
  const auto x = points.to(at::kDouble);
  const auto centre = x.mean(0, true);
  const auto centred = x - centre;
  const auto floor = (kFloor * centred.square().mean(0, true)).clamp_min(1e-12);
  Mixture m;
  Sums hard(k, centred);
  by_blocks(n, [&](int64_t begin, int64_t count) {
    hard.add(centred.narrow(0, begin, count),
             at::one_hot(start.narrow(0, begin, count), k).to(at::kDouble));
  });
  maximise(hard, floor, m);
  m.groups = start;
  for (int round = 0; round < rounds; ++round) {
    Sums sums(k, centred);
    std::vector<at::Tensor> groups;
    double likelihood = 0;
    by_blocks(n, [&](int64_t begin, int64_t count) {
      const auto some = centred.narrow(0, begin, count);
      const auto joint = log_joint(m, some);
      const auto density = joint.logsumexp({1}, true);
      likelihood += density.sum().item<double>() / static_cast<double>(n);
      groups.push_back(joint.argmax(1));
      sums.add(some, (joint - density).exp());
    });
    m.groups = at::cat(groups);
    const bool done = !m.likelihoods.empty() &&
                      likelihood - m.likelihoods.back() < kLeastGain;
    m.likelihoods.push_back(likelihood);
    if (done) break;
    maximise(sums, floor, m);
  }
  m.means = m.means + centre;
  return m;
}

}  // namespace protean
