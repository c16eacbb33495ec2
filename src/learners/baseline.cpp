#include "learners/baseline.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/learners/running_moments.h"
#include "protean/learners/task_loss.h"
#include "protean/models/initialise.h"
#include "protean/models/linear_network.h"
#include "protean/models/params.h"

#include "learners/nearest.h"

namespace protean {

Baseline::Baseline(NetworkPtr net, const LearnerOptions& o, TargetKind target)
    : net_(std::move(net)),
      target_(target),
      momentum_(checked_norm_momentum(o.norm_momentum)) {
  if (o.readout == "head")
    readout_ = Readout::head;
  else if (o.readout == "all")
    readout_ = Readout::all;
  else if (o.readout == "neighbour")
    readout_ = Readout::neighbour;
  else if (o.readout == "pixels")
    readout_ = Readout::pixels;
  else
    throw ConfigError(concat("learner.readout = \"", o.readout,
                             "\"; expected one of: head, all, neighbour, "
                             "pixels"));
  if (readout_ == Readout::all)
    inner_ = std::make_unique<InnerLoop>(net_, o, target_);
  if (readout_ != Readout::all && o.adapt != "all")
    throw ConfigError(concat("learner.adapt = \"", o.adapt,
                             "\"; expected all, or learner.readout = all"));
  if (readout_ == Readout::head) {
    const auto& head = net_->params().parameters()[net_->head_begin()];
    inner_ = std::make_unique<InnerLoop>(
        std::make_shared<LinearNetwork>(head.shape[1], head.shape[0]), o,
        target_);
  }
  spaces_.theta = net_->params();
  add_running_moments(spaces_.state, net_->norm_channels());
}

void Baseline::initialise(const MetaView& meta, uint64_t seed) const {
  fill_initial(spaces_.theta, meta.theta.data_ptr<float>(), seed);
  start_running_moments(spaces_.state, meta.state);
}

TaskLosses Baseline::gradient(const TaskBatch& batch, const MetaView& meta,
                              const MetaView& sums) const {
  announce(Phase::outer);
  auto theta = shared_params(spaces_.theta, meta.theta);
  for (auto& p : theta) p = p.detach().requires_grad_();
  Part all = batch.query;
  if (batch.support.x.size(1) > 0) {
    all.x = at::cat({batch.support.x, all.x}, 1);
    all.y = at::cat({batch.support.y, all.y}, 1);
  }
  Norm norm;
  norm.record = true;
  const auto prediction = net_->forward(theta, {all.x, all.weight, {}}, norm);
  const auto losses = task_loss(prediction, all, target_);
  add_to_flat(spaces_.theta, torch::autograd::grad({losses.sum()}, theta),
              sums.theta);
  move_running_moments(spaces_.state, meta.state, norm.moments, momentum_,
                       sums.state);
  announce(Phase::idle);
  return {losses.detach(), task_accuracy(prediction, all, target_)};
}

at::Tensor Baseline::features(const Params& theta, const Norm& norm,
                              const Part& part) const {
  if (readout_ == Readout::pixels) return part.x.flatten(2);
  Norm own = norm;
  return net_->body(theta, {part.x, part.weight, {}}, own);
}

Params Baseline::start_head(const Params& theta, const TaskBatch& batch) const {
  Params head;
  for (size_t i = net_->head_begin(); i < theta.size(); ++i) {
    auto shape = theta[i].sizes().vec();
    shape[0] = batch.tasks();
    if (target_ == TargetKind::classes) shape[1] = batch.shape.ways;
    auto start = target_ == TargetKind::classes
                     ? at::zeros(shape, theta[i].options())
                     : theta[i].detach().expand(shape);
    head.push_back(start.requires_grad_());
  }
  return head;
}

void Baseline::adapt(const TaskBatch& batch, const MetaView& meta,
                     const Visit& visit) const {
  Phi phi;
  phi.params = shared_params(spaces_.theta, meta.theta);
  phi.norm = running_norm(spaces_.state, meta.state);
  if (readout_ == Readout::all) {
    auto start = stacked_leaves(spaces_.theta, meta.theta, batch.tasks());
    auto head = start_head(phi.params, batch);
    std::copy(head.begin(), head.end(),
              start.begin() + static_cast<int64_t>(net_->head_begin()));
    inner_->adapt(std::move(start), {}, batch, visit);
    return;
  }
  const auto frozen = [&] {
    at::NoGradGuard no_grad;
    return features(phi.params, phi.norm, batch.support);
  }();
  if (neighbours()) {
    at::NoGradGuard no_grad;
    phi.memory = {frozen, target_ == TargetKind::classes
                              ? membership(batch.support, batch.shape.ways,
                                           frozen.scalar_type())
                              : batch.support.y};
    visit(0, phi);
    return;
  }
  TaskBatch read = batch;
  read.support.x = frozen;
  // Of the query set, which every step's visit asks for.
  const auto asked = [&] {
    at::NoGradGuard no_grad;
    return features(phi.params, phi.norm, batch.query);
  }();
  inner_->adapt(start_head(phi.params, batch), {}, read,
                [&](int k, const Phi& head) {
                  phi.memory = head.params;
                  phi.memory.push_back(batch.query.x);
                  phi.memory.push_back(asked);
                  visit(k, phi);
                });
}

at::Tensor Baseline::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  if (readout_ == Readout::all)
    return inner_->predict(phi.params, phi.norm, part);
  Part read = part;
  if (readout_ == Readout::head) {
    Params head = phi.memory;
    const auto known = head.back();
    head.pop_back();
    const bool same = head.back().is_same(part.x);
    head.pop_back();
    read.x = same ? known : features(phi.params, phi.norm, part);
    return inner_->predict(head, {}, read);
  }
  read.x = features(phi.params, phi.norm, part);
  const auto scores = readout_ == Readout::pixels
                          ? negative_squared_distance(read.x, phi.memory[0])
                          : cosines(read.x, phi.memory[0]);
  return target_ == TargetKind::classes ? best_of_class(scores, phi.memory[1])
                                        : best_value(scores, phi.memory[1]);
}

bool Baseline::transductive() const {
  return readout_ == Readout::all && inner_->transductive();
}

int Baseline::eval_steps() const { return inner_ ? inner_->eval_steps() : 0; }

}  // namespace protean
