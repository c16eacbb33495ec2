#include "learners/protonet.h"

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
  const auto count = member.sum(1).clamp_min(1).unsqueeze(-1);  // (T, N, 1)
  return at::bmm(member.transpose(1, 2), features) / count;
}

at::Tensor negative_squared_distance(const at::Tensor& x, const at::Tensor& c) {
  // 2 x.c - |x|^2 - |c|^2; one matrix product instead of n * N differences.
  return at::baddbmm(x.square().sum(-1, true) + c.square().sum(-1).unsqueeze(1),
                     x, c.transpose(1, 2), /*beta=*/-1, /*alpha=*/2);
}

}  // namespace protean
