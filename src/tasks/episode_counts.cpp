#include "protean/tasks/episode_counts.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"

namespace protean {

EpisodeCounts episode_counts(const std::vector<uint32_t>& n, double beta,
                             const std::vector<double>& alpha,
                             const EpisodeOptions& options) {
  const size_t ways = n.size();
  const uint32_t shots = options.fixed_shots;
  const uint32_t least = n.empty() ? 0 : *std::min_element(n.begin(), n.end());
  if (least < (shots ? shots + 1 : 2))
    throw Error(concat("episode_counts: a class of ", least,
                       " images; expected at least ", shots ? shots + 1 : 2));
  EpisodeCounts counts;
  counts.queries =
      std::min(options.max_queries, shots ? least - shots : least / 2);
  if (shots) {
    counts.support.assign(ways, shots);
    return counts;
  }
  double support = 0;
  for (uint32_t images : n) {
    const double most =
        std::min(options.max_class_support, images - counts.queries);
    support += std::floor(beta * most + 1);
  }
  support = std::min(support, static_cast<double>(options.max_support));
  std::vector<double> weight(ways);
  double sum = 0;
  for (size_t c = 0; c < ways; ++c)
    sum += weight[c] = n[c] * std::exp(alpha.at(c));
  for (size_t c = 0; c < ways; ++c) {
    const double share =
        weight[c] / sum * (support - static_cast<double>(ways));
    counts.support.push_back(std::min(
        static_cast<uint32_t>(std::floor(share)) + 1, n[c] - counts.queries));
  }
  return counts;
}

}  // namespace protean
