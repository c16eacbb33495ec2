#include "learners/siamese.h"

#include <ATen/ATen.h>

#include "learners/nearest.h"

namespace protean {
namespace {

constexpr int64_t kHidden = 4096;

}  // namespace

Siamese::Siamese(NetworkPtr network, const LearnerOptions& o)
    : MetricLearner(std::move(network), o, TargetKind::classes),
      hidden_(spaces_.theta, "siamese.hidden", features(),
              o.width ? o.width : kHidden),
      score_(spaces_.theta, "siamese.score", o.width ? o.width : kHidden, 1) {}

Params Siamese::remember(const Params& theta, const at::Tensor& features,
                         const Part& support, int64_t ways, Norm&) const {
  return {hidden_(theta, features).sigmoid(),
          membership(support, ways, features.scalar_type())};
}

at::Tensor Siamese::compare(const Params& theta, const Params& memory,
                            const at::Tensor& features, Norm&) const {
  const auto h = hidden_(theta, features).sigmoid();
  const auto& support = memory[0];
  const auto distance = (h.unsqueeze(2) - support.unsqueeze(1)).abs();
  return score_(theta, distance.flatten(1, 2))
      .view({h.size(0), h.size(1), support.size(1)});
}

at::Tensor Siamese::answer(const at::Tensor& scores,
                           const Params& memory) const {
  return best_of_class(scores, memory[1]);
}

at::Tensor Siamese::loss(const at::Tensor& scores, const Params& memory,
                         const Part& query) const {
  const auto& member = memory[1];
  const auto real = member.sum(-1).unsqueeze(1);  // (T, 1, m), 0 = padding
  const auto asked =
      membership(query, member.size(2), scores.scalar_type());  // (T, n, N)
  const auto same = at::bmm(asked, member.transpose(1, 2));
  const auto different = asked.sum(-1, true) * real - same;
  const auto mean = [](const at::Tensor& loss, const at::Tensor& weight) {
    return (loss * weight).sum({1, 2}) / weight.sum({1, 2});
  };
  return (mean(at::softplus(-scores), same) +
          mean(at::softplus(scores), different)) /
         2;
}

}  // namespace protean
