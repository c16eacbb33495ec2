#include "protean/generative/analysis/quality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

constexpr int64_t kBlock = 1024;  // rows compared at a time

// Squared distances of the rows of x to those of y.
at::Tensor squared(const at::Tensor& x, const at::Tensor& y) {
  return at::addmm(
             y.square().sum(1).unsqueeze(0) + x.square().sum(1).unsqueeze(1), x,
             y.t(), 1, /*alpha=*/-2)
      .clamp_min(0);
}

template <typename Visit>  // visit(begin, rows of x)
void by_blocks(const at::Tensor& x, const Visit& visit) {
  for (int64_t begin = 0; begin < x.size(0); begin += kBlock)
    visit(begin, x.narrow(0, begin, std::min(kBlock, x.size(0) - begin)));
}

// Squared distance of each row to its k-th neighbour among the others.
at::Tensor radii(const at::Tensor& x, int64_t k) {
  auto out = at::empty({x.size(0)}, x.options());
  by_blocks(x, [&](int64_t begin, const at::Tensor& some) {
    auto d = squared(some, x);
    d.diagonal(begin).fill_(std::numeric_limits<float>::infinity());
    out.narrow(0, begin, some.size(0))
        .copy_(std::get<0>(d.topk(k, 1, /*largest=*/false)).select(1, k - 1));
  });
  return out;
}

at::Tensor covariance(const at::Tensor& x) {
  const auto centred = x - x.mean(0, true);
  const double n = static_cast<double>(x.size(0));
  return at::mm(centred.t(), centred) / (n - 1) +
         1e-6 * at::eye(x.size(1), x.options());
}

at::Tensor root(const at::Tensor& symmetric) {
  const auto [values, vectors] = at::linalg_eigh(symmetric);
  return at::mm(vectors * values.clamp_min(0).sqrt().unsqueeze(0), vectors.t());
}

at::Tensor random_rows(const at::Tensor& x, int64_t size, uint64_t seed,
                       uint32_t slot) {
  const auto rows = Draws(seed, {}, Purpose::minibatch, slot)
                        .sample(static_cast<uint64_t>(x.size(0)),
                                static_cast<uint64_t>(size));
  auto index = at::empty({size}, at::kLong);
  for (int64_t i = 0; i < size; ++i)
    index.data_ptr<int64_t>()[i] = rows[static_cast<size_t>(i)];
  return x.index_select(0, index);
}

void check(const at::Tensor& a, const at::Tensor& b, int64_t least) {
  if (a.dim() != 2 || b.dim() != 2 || a.size(1) != b.size(1) ||
      std::min(a.size(0), b.size(0)) < least)
    throw Error(concat("sets of ", a.size(0), " and ", b.size(0),
                       " images with ", a.size(-1), " and ", b.size(-1),
                       " features; expected as many features, and at least ",
                       least, " images"));
}

}  // namespace

double frechet_distance(const at::Tensor& a, const at::Tensor& b) {
  check(a, b, 2);
  const auto x = a.to(at::kDouble), y = b.to(at::kDouble);
  const auto cov_x = covariance(x), cov_y = covariance(y);
  const auto half = root(cov_x);
  // tr((A B)^(1/2)) = tr((A^(1/2) B A^(1/2))^(1/2)), which is symmetric.
  const auto cross = root(at::mm(at::mm(half, cov_y), half));
  const auto distance = (x.mean(0) - y.mean(0)).square().sum() + cov_x.trace() +
                        cov_y.trace() - 2 * cross.trace();
  return distance.item<double>();
}

Kernel kernel_distance(const at::Tensor& a, const at::Tensor& b, int subsets,
                       int64_t size, uint64_t seed) {
  check(a, b, 2);
  const int64_t n = std::min({size, a.size(0), b.size(0)});
  const double d = static_cast<double>(a.size(1));
  const auto kernel = [&](const at::Tensor& x, const at::Tensor& y) {
    return (at::mm(x, y.t()) / d + 1).pow(3);
  };
  auto values = at::empty({subsets}, at::kDouble);
  for (int s = 0; s < subsets; ++s) {
    const auto slot = static_cast<uint32_t>(2 * s);
    const auto x = random_rows(a, n, seed, slot).to(at::kDouble);
    const auto y = random_rows(b, n, seed, slot + 1).to(at::kDouble);
    const auto within = [&](const at::Tensor& z) {
      const auto k = kernel(z, z);
      return (k.sum() - k.trace()) / static_cast<double>(n * (n - 1));
    };
    values[s] = within(x) + within(y) - 2 * kernel(x, y).mean();
  }
  return {values.mean().item<double>(),
          subsets > 1 ? values.std().item<double>() : 0};
}

Manifold manifold(const at::Tensor& real, const at::Tensor& fake, int64_t k) {
  check(real, fake, k + 1);
  const auto real_radius = radii(real, k), fake_radius = radii(fake, k);
  const double n = static_cast<double>(real.size(0));
  const double m = static_cast<double>(fake.size(0));
  auto around_fake = at::zeros({fake.size(0)}, at::kLong);
  double recalled = 0, covered = 0;
  by_blocks(real, [&](int64_t begin, const at::Tensor& some) {
    const auto d = squared(some, fake);  // (block, M)
    const auto radius = real_radius.narrow(0, begin, some.size(0)).unsqueeze(1);
    const auto inside = d < radius;
    around_fake += inside.sum(0);
    covered += inside.any(1).sum().item<double>();
    recalled += (d < fake_radius.unsqueeze(0)).any(1).sum().item<double>();
  });
  Manifold out;
  out.precision = (around_fake > 0).sum().item<double>() / m;
  out.recall = recalled / n;
  out.density = around_fake.sum().item<double>() / (static_cast<double>(k) * m);
  out.coverage = covered / n;
  return out;
}

double one_nearest_neighbour(const at::Tensor& a, const at::Tensor& b) {
  check(a, b, 2);
  const auto all = at::cat({a, b});
  const auto second = at::arange(all.size(0)) >= a.size(0);
  double right = 0;
  by_blocks(all, [&](int64_t begin, const at::Tensor& some) {
    auto d = squared(some, all);
    d.diagonal(begin).fill_(std::numeric_limits<float>::infinity());
    right += second.index_select(0, d.argmin(1))
                 .eq(second.narrow(0, begin, some.size(0)))
                 .sum()
                 .item<double>();
  });
  return right / static_cast<double>(all.size(0));
}

double inception_score(const at::Tensor& logits) {
  const auto log_p = at::log_softmax(logits.to(at::kDouble), 1);
  const auto log_mean = at::logsumexp(log_p, {0}, true) -
                        std::log(static_cast<double>(log_p.size(0)));
  return std::exp(
      (log_p.exp() * (log_p - log_mean)).sum(1).mean().item<double>());
}

at::Tensor nearest_distance(const at::Tensor& x, const at::Tensor& to) {
  check(x, to, 1);
  return std::get<0>(squared(x, to).min(1)).sqrt();
}

}  // namespace protean
