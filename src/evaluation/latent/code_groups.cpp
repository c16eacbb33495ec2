#include "evaluation/latent/code_groups.h"

#include <ATen/ATen.h>

#include "protean/generative/analysis/clustering.h"
#include "protean/generative/analysis/mixture.h"

namespace protean {
namespace {

constexpr int kRounds = 50, kPartitions = 10;

nlohmann::json to_json(const Agreement& a) {
  return {{"purity", a.purity},
          {"mutual_information", a.mutual_information},
          {"rand_index", a.rand_index}};
}

nlohmann::json mean_agreement(const std::vector<at::Tensor>& partitions,
                              const at::Tensor& labels) {
  Agreement mean;
  const double n = static_cast<double>(partitions.size());
  for (const auto& groups : partitions) {
    const auto a = agreement(groups, labels);
    mean.purity += a.purity / n;
    mean.mutual_information += a.mutual_information / n;
    mean.rand_index += a.rand_index / n;
  }
  auto json = to_json(mean);
  json["partitions"] = partitions.size();
  return json;
}

}  // namespace

nlohmann::json code_groups(const std::vector<at::Tensor>& codes,
                           uint64_t seed) {
  const auto k = static_cast<int64_t>(codes.size());
  std::vector<at::Tensor> of;
  for (int64_t i = 0; i < k; ++i)
    of.push_back(
        at::full({codes[static_cast<size_t>(i)].size(0)}, i, at::kLong));
  const auto x = at::cat(codes), labels = at::cat(of);
  const auto groups = k_means(x, k, kRounds, seed);
  return {{"k_means", to_json(agreement(groups, labels))},
          {"mixture",
           to_json(agreement(fit_mixture(x, groups, kRounds).groups, labels))},
          {"random_partitions",
           mean_agreement(random_partitions(x, k, kPartitions, kRounds, seed),
                          labels)}};
}

}  // namespace protean
