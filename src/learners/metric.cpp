#include "learners/metric.h"

#include <torch/csrc/autograd/autograd.h>

#include "protean/learners/phase.h"
#include "protean/learners/task_loss.h"
#include "protean/models/params.h"

#include "learners/running_moments.h"
#include "models/layers.h"

namespace protean {

MetricLearner::MetricLearner(NetworkPtr net, const LearnerOptions& options,
                             TargetKind target)
    : name_(options.name),
      net_(std::move(net)),
      momentum_(checked_norm_momentum(options.norm_momentum)),
      target_(target) {
  const auto& all = net_->params().parameters();
  for (size_t i = 0; i < net_->head_begin(); ++i)
    spaces_.theta.add(all[i].name, all[i].shape);
  add_norms(net_->norm_channels());
}

void MetricLearner::add_norms(const std::vector<int64_t>& channels) {
  norm_channels_.insert(norm_channels_.end(), channels.begin(), channels.end());
  spaces_.state = {};
  add_running_moments(spaces_.state, norm_channels_);
}

int64_t MetricLearner::features() const {
  int64_t f = 1;
  for (int64_t d : net_->feature_shape()) f *= d;
  return f;
}

void MetricLearner::initialise(const MetaView& meta, uint64_t seed) const {
  initialise_body(*net_, meta.theta, seed);
  initialise_layers(spaces_.theta, net_->head_begin(),
                    meta.theta.data_ptr<float>(), seed);
  start_running_moments(spaces_.state, meta.state);
}

TaskLosses MetricLearner::gradient(const TaskBatch& batch, const MetaView& meta,
                                   const MetaView& sums) const {
  announce(Phase::outer);
  auto theta = shared_params(spaces_.theta, meta.theta);
  for (auto& p : theta) p = p.detach().requires_grad_();
  Norm norm;
  norm.record = true;
  const auto joined = at::cat({batch.support.x, batch.query.x}, 1);
  const auto features = net_->body(theta, {joined, {}, {}}, norm);
  const int64_t shots = batch.support.x.size(1);
  const auto memory = remember(theta, features.narrow(1, 0, shots),
                               batch.support, batch.shape.ways, norm);
  const auto scores = compare(
      theta, memory, features.narrow(1, shots, features.size(1) - shots), norm);
  const auto losses = loss(scores, memory, batch.query);
  add_to_flat(spaces_.theta, torch::autograd::grad({losses.sum()}, theta),
              sums.theta);
  move_running_moments(spaces_.state, meta.state, norm.moments, joined,
                       momentum_, sums.state);
  announce(Phase::idle);
  return {losses.detach(),
          task_accuracy(answer(scores.detach(), memory), batch.query, target_)};
}

void MetricLearner::adapt(const TaskBatch& batch, const MetaView& meta,
                          const Visit& visit) const {
  at::NoGradGuard no_grad;
  Phi phi;
  phi.params = shared_params(spaces_.theta, meta.theta);
  phi.norm = running_norm(spaces_.state, meta.state);
  const auto& support = batch.support;
  phi.memory = remember(
      phi.params,
      net_->body(phi.params, {support.x, support.weight, {}}, phi.norm),
      support, batch.shape.ways, phi.norm);
  visit(0, phi);
}

at::Tensor MetricLearner::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  Norm norm = phi.norm;
  const auto features = net_->body(phi.params, {part.x, part.weight, {}}, norm);
  return answer(compare(phi.params, phi.memory, features, norm), phi.memory);
}

at::Tensor MetricLearner::answer(const at::Tensor& scores,
                                 const Params&) const {
  return scores;
}

at::Tensor MetricLearner::loss(const at::Tensor& scores, const Params& memory,
                               const Part& query) const {
  return task_loss(answer(scores, memory), query, target_);
}

at::Tensor membership(const Part& support, int64_t ways, at::ScalarType type) {
  auto member = at::one_hot(support.y, ways).to(type);
  return support.weight.defined() ? member * support.weight.unsqueeze(-1)
                                  : member;
}

}  // namespace protean
