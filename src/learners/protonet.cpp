#include "learners/protonet.h"

#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/learners/task_loss.h"
#include "protean/models/params.h"

namespace protean {
namespace {

// Running variance is unbiased, as in the reference implementation's framework.
double unbiased(const at::Tensor& x) {
  double n = static_cast<double>(x.size(1));
  for (int64_t d = 3; d < x.dim(); ++d) n *= static_cast<double>(x.size(d));
  return n > 1 ? n / (n - 1) : 1;
}

}  // namespace

ProtoNet::ProtoNet(NetworkPtr net, const LearnerOptions& options)
    : net_(std::move(net)), momentum_(options.norm_momentum) {
  if (!(momentum_ > 0 && momentum_ <= 1))
    throw ConfigError(concat("learner.norm_momentum = ", momentum_,
                             "; expected a value in (0, 1]"));
  const auto& all = net_->params().parameters();
  for (size_t i = 0; i < net_->head_begin(); ++i)
    spaces_.theta.add(all[i].name, all[i].shape);
  int layer = 1;
  for (int64_t channels : net_->norm_channels()) {
    spaces_.state.add(concat("norm", layer, ".mean"), {channels});
    spaces_.state.add(concat("norm", layer, ".variance"), {channels});
    ++layer;
  }
}

void ProtoNet::initialise(const MetaView& meta, uint64_t seed) const {
  auto whole = at::empty({net_->params().size()}, at::kFloat);
  net_->initialise(whole.data_ptr<float>(), seed);
  meta.theta.copy_(whole.narrow(0, 0, spaces_.theta.size()));
  auto state = shared_params(spaces_.state, meta.state);
  for (size_t i = 0; i < state.size(); ++i) state[i].fill_(i % 2 ? 1 : 0);
}

Params ProtoNet::body_params(const MetaView& meta, bool train) const {
  auto params = shared_params(spaces_.theta, meta.theta);
  if (train)
    for (auto& p : params) p = p.detach().requires_grad_();
  return params;
}

TaskLosses ProtoNet::gradient(const TaskBatch& batch, const MetaView& meta,
                              const MetaView& sums) const {
  announce(Phase::outer);
  const auto theta = body_params(meta, /*train=*/true);
  Norm norm;
  norm.record = true;
  const auto joined = at::cat({batch.support.x, batch.query.x}, 1);
  const auto features = net_->body(theta, {joined, {}, {}}, norm);
  const int64_t shots = batch.support.x.size(1);
  const auto centres = prototypes(features.narrow(1, 0, shots), batch.support.y,
                                  batch.support.weight, batch.shape.ways);
  const auto logits = negative_squared_distance(
      features.narrow(1, shots, features.size(1) - shots), centres);
  auto loss = task_loss(logits, batch.query, TargetKind::classes);
  add_to_flat(spaces_.theta, torch::autograd::grad({loss.sum()}, theta),
              sums.theta);

  // Every task moves the running moments from the same start.
  at::NoGradGuard no_grad;
  const auto old = shared_params(spaces_.state, meta.state);
  Params moved;
  for (const auto& m : norm.moments) {
    const auto& mean = old[moved.size()];
    const auto& variance = old[moved.size() + 1];
    moved.push_back(mean * (1 - momentum_) + m.mean * momentum_);
    moved.push_back(variance * (1 - momentum_) +
                    m.variance * (momentum_ * unbiased(joined)));
  }
  add_to_flat(spaces_.state, moved, sums.state);
  announce(Phase::idle);
  return {loss.detach(),
          task_accuracy(logits, batch.query, TargetKind::classes)};
}

void ProtoNet::adapt(const TaskBatch& batch, const MetaView& meta,
                     const Visit& visit) const {
  at::NoGradGuard no_grad;
  Phi phi;
  phi.params = body_params(meta, /*train=*/false);
  phi.norm.mode = Norm::Mode::given;
  const auto state = shared_params(spaces_.state, meta.state);
  for (size_t i = 0; i < state.size(); i += 2)
    phi.norm.moments.push_back({state[i], state[i + 1]});
  phi.extra = prototypes(
      net_->body(phi.params, {batch.support.x, batch.support.weight, {}},
                 phi.norm),
      batch.support.y, batch.support.weight, batch.shape.ways);
  visit(0, phi);
}

at::Tensor ProtoNet::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  Norm norm = phi.norm;
  return negative_squared_distance(
      net_->body(phi.params, {part.x, part.weight, {}}, norm), phi.extra);
}

at::Tensor prototypes(const at::Tensor& features, const at::Tensor& y,
                      const at::Tensor& weight, int64_t ways) {
  auto member = at::one_hot(y, ways).to(features.scalar_type());  // (T, n, N)
  if (weight.defined()) member = member * weight.unsqueeze(-1);
  const auto count = member.sum(1).clamp_min(1).unsqueeze(-1);  // (T, N, 1)
  return at::bmm(member.transpose(1, 2), features) / count;
}

at::Tensor negative_squared_distance(const at::Tensor& x, const at::Tensor& c) {
  // 2 x.c - |x|^2 - |c|^2; one matrix product instead of n * N differences.
  return at::baddbmm(x.square().sum(-1, true) + c.square().sum(-1).unsqueeze(1),
                     x, c.transpose(1, 2), /*beta=*/-1, /*alpha=*/2);
}

}  // namespace protean
