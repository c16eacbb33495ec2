#include "protean/generative/analysis/clustering.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

// The nearest centre of every point, a block of points at a time.
at::Tensor nearest(const at::Tensor& x, const at::Tensor& centres) {
  constexpr int64_t kBlock = 4096;
  const auto offset = centres.square().sum(1).unsqueeze(0);
  std::vector<at::Tensor> out;
  for (int64_t begin = 0; begin < x.size(0); begin += kBlock) {
    const auto some = x.narrow(0, begin, std::min(kBlock, x.size(0) - begin));
    out.push_back(
        at::addmm(offset, some, centres.t(), 1, /*alpha=*/-2).argmin(1));
  }
  return at::cat(out);
}

// count (g, l): points of each group and label.
double adjusted_rand_index(const at::Tensor& count) {
  const auto pairs = [](const at::Tensor& n) {
    return (n * (n - 1) / 2).sum().item<double>();
  };
  const double in_groups = pairs(count.sum(1)), in_labels = pairs(count.sum(0));
  const double all = pairs(count.sum());
  const double chance = all > 0 ? in_groups * in_labels / all : 0;
  const double most = (in_groups + in_labels) / 2;
  // Otherwise one group each, or one for every point: the same either way.
  return most > chance ? (pairs(count) - chance) / (most - chance) : 1;
}

}  // namespace

at::Tensor k_means(const at::Tensor& x, int64_t k, int rounds, uint64_t seed) {
  const int64_t n = x.size(0);
  if (k < 1 || k > n)
    throw Error(
        concat("k_means: ", k, " groups of ", n, " points; expected 1 to ", n));
  const auto first =
      Draws(seed, {}, Purpose::latent)
          .sample(static_cast<uint64_t>(n), static_cast<uint64_t>(k));
  auto index = at::empty({k}, at::kLong);
  for (int64_t i = 0; i < k; ++i)
    index[i] = static_cast<int64_t>(first[static_cast<size_t>(i)]);
  auto centres = x.index_select(0, index);
  auto group = nearest(x, centres);
  for (int round = 0; round < rounds; ++round) {
    const auto size = at::bincount(group, {}, k).unsqueeze(1);
    const auto sum = at::zeros_like(centres).index_add_(0, group, x);
    centres = at::where(size > 0, sum / size.clamp_min(1), centres);
    const auto next = nearest(x, centres);
    if (at::equal(next, group)) break;
    group = next;
  }
  return group;
}

std::vector<at::Tensor> random_partitions(const at::Tensor& x, int64_t k,
                                          int partitions, int rounds,
                                          uint64_t seed) {
  std::vector<at::Tensor> out;
  for (int p = 0; p < partitions; ++p) {
    auto scale = at::empty({x.size(1)}, at::kDouble);
    Draws draws(seed, {}, Purpose::transform, static_cast<uint32_t>(p));
    for (int64_t i = 0; i < x.size(1); ++i)
      scale.data_ptr<double>()[i] = draws.uniform();
    out.push_back(k_means(x * scale.to(x.scalar_type()), k, rounds,
                          seed + static_cast<uint64_t>(p)));
  }
  return out;
}

Agreement agreement(const at::Tensor& groups, const at::Tensor& labels) {
  const int64_t g = groups.max().item<int64_t>() + 1;
  const int64_t l = labels.max().item<int64_t>() + 1;
  const auto count =
      at::bincount(groups * l + labels, {}, g * l).view({g, l}).to(at::kDouble);
  const auto joint = count / static_cast<double>(groups.numel());
  const auto entropy = [](const at::Tensor& p) {
    return -at::xlogy(p, p).sum().item<double>();
  };
  const double of_groups = entropy(joint.sum(1)),
               of_labels = entropy(joint.sum(0));
  const double shared = of_groups + of_labels - entropy(joint);
  const double mean = (of_groups + of_labels) / 2;
  return {std::get<0>(joint.max(1)).sum().item<double>(),
          mean > 0 ? shared / mean : 1, adjusted_rand_index(count)};
}

}  // namespace protean
