#include "learners/protonet.h"

#include <ATen/ATen.h>

#include "learners/nearest.h"

namespace protean {

ProtoNet::ProtoNet(NetworkPtr net, const LearnerOptions& options)
    : MetricLearner(std::move(net), options, TargetKind::classes) {}

Params ProtoNet::remember(const Params&, const at::Tensor& features,
                          const Part& support, int64_t ways, Norm&) const {
  return {prototypes(features, support, ways)};
}

at::Tensor ProtoNet::compare(const Params&, const Params& memory,
                             const at::Tensor& features, Norm&) const {
  return negative_squared_distance(features, memory[0]);
}

at::Tensor prototypes(const at::Tensor& features, const Part& support,
                      int64_t ways) {
  const auto member = membership(support, ways, features.scalar_type());
  auto weight = member.sum(1).unsqueeze(-1);  // (T, N, 1)
  weight = weight.masked_fill(weight.eq(0), 1);
  return at::bmm(member.transpose(1, 2), features) / weight;
}

}  // namespace protean
