#include "learners/metric.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/choice.h"
#include "protean/learners/phase.h"
#include "protean/learners/running_moments.h"
#include "protean/learners/task_loss.h"
#include "protean/models/initialise.h"
#include "protean/models/layers.h"
#include "protean/models/params.h"

namespace protean {
namespace {

// Inputs of both, and which of them are padding.
Part join(const Part& a, const Part& b) {
  Part out;
  out.x = at::cat({a.x, b.x}, 1);
  if (a.weight.defined() || b.weight.defined()) {
    const auto weight = [](const Part& p) {
      return p.weight.defined()
                 ? p.weight
                 : at::ones({p.x.size(0), p.x.size(1)}, p.x.options());
    };
    out.weight = at::cat({weight(a), weight(b)}, 1);
  }
  return out;
}

}  // namespace

MetricLearner::MetricLearner(NetworkPtr net, const LearnerOptions& options,
                             TargetKind target)
    : name_(options.name),
      net_(std::move(net)),
      momentum_(checked_norm_momentum(options.norm_momentum)),
      target_(target),
      support_norm_(options.query_norm == "support") {
  check_choice("learner.query_norm", options.query_norm, {"batch", "support"});
  const auto& all = net_->params().parameters();
  for (size_t i = 0; i < net_->head_begin(); ++i) spaces_.theta.add(all[i]);
  add_norms(net_->norm_channels());
}

void MetricLearner::add_norms(const std::vector<int64_t>& channels) {
  if (support_norm_) return;
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
  fill_initial(spaces_.theta, meta.theta.data_ptr<float>(), seed);
  start_running_moments(spaces_.state, meta.state);
}

TaskLosses MetricLearner::gradient(const TaskBatch& batch, const MetaView& meta,
                                   const MetaView& sums) const {
  announce(Phase::outer);
  auto theta = shared_params(spaces_.theta, meta.theta);
  for (auto& p : theta) p = p.detach().requires_grad_();
  Norm norm;
  norm.record = true;
  const auto &support = batch.support, &query = batch.query;
  const Part joined = join(support, query);
  at::Tensor known, asked;  // features
  if (support_norm_) {
    known = net_->body(theta, {support.x, support.weight, {}}, norm);
    norm.mode = Norm::Mode::given;
    asked = net_->body(theta, {query.x, query.weight, {}}, norm);
  } else {
    const auto all = net_->body(theta, {joined.x, joined.weight, {}}, norm);
    const int64_t shots = support.x.size(1);
    known = all.narrow(1, 0, shots);
    asked = all.narrow(1, shots, all.size(1) - shots);
  }
  const auto memory = remember(theta, known, support, batch.shape.ways, norm);
  const auto scores = compare(theta, memory, asked, norm);
  const auto losses = loss(scores, memory, query);
  add_to_flat(spaces_.theta, torch::autograd::grad({losses.sum()}, theta),
              sums.theta);
  if (!support_norm_)
    move_running_moments(spaces_.state, meta.state, norm.moments, momentum_,
                         sums.state);
  announce(Phase::idle);
  return {
      losses.detach(),
      task_accuracy(answer_to(query, scores.detach(), memory), query, target_)};
}

void MetricLearner::adapt(const TaskBatch& batch, const MetaView& meta,
                          const Visit& visit) const {
  at::NoGradGuard no_grad;
  Phi phi;
  phi.params = shared_params(spaces_.theta, meta.theta);
  if (support_norm_)
    phi.norm.record = true;
  else
    phi.norm = running_norm(spaces_.state, meta.state);
  const auto& support = batch.support;
  const auto features =
      net_->body(phi.params, {support.x, support.weight, {}}, phi.norm);
  phi.norm.mode = Norm::Mode::given;
  phi.memory =
      remember(phi.params, features, support, batch.shape.ways, phi.norm);
  visit(0, phi);
}

at::Tensor MetricLearner::features(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  Norm norm = phi.norm;
  return net_->body(phi.params, {part.x, part.weight, {}}, norm);
}

at::Tensor MetricLearner::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  Norm norm = phi.norm;
  const auto features = net_->body(phi.params, {part.x, part.weight, {}}, norm);
  return answer_to(part, compare(phi.params, phi.memory, features, norm),
                   phi.memory);
}

at::Tensor MetricLearner::answer_to(const Part& part, const at::Tensor& scores,
                                    const Params& memory) const {
  return of_present(answer(scores, memory), part);
}

at::Tensor MetricLearner::answer(const at::Tensor& scores,
                                 const Params&) const {
  return scores;
}

at::Tensor MetricLearner::loss(const at::Tensor& scores, const Params& memory,
                               const Part& query) const {
  return task_loss(answer_to(query, scores, memory), query, target_);
}

}  // namespace protean
