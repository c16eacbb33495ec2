#include "learners/inner_loop.h"

#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/learners/task_loss.h"

namespace protean {

InnerLoop::InnerLoop(NetworkPtr net, const LearnerOptions& o, TargetKind target)
    : net_(std::move(net)), options_(o), optimizer_(o), target_(target) {
  if (o.inner_steps < 1)
    throw ConfigError(concat("learner.inner_steps = ", o.inner_steps,
                             "; expected at least 1"));
  if (!(o.inner_lr > 0))
    throw ConfigError(concat("learner.inner_lr = ", o.inner_lr,
                             "; expected a value above 0"));
  if (o.query_norm != "batch" && o.query_norm != "support")
    throw ConfigError(concat("learner.query_norm = \"", o.query_norm,
                             "\"; expected one of: batch, support"));
  support_norm_ = o.query_norm == "support" && !net_->norm_channels().empty();
  if (o.adapt != "all" && o.adapt != "head" && o.adapt != "body")
    throw ConfigError(concat("learner.adapt = \"", o.adapt,
                             "\"; expected one of: all, head, body"));
  const auto& all = net_->params().parameters();
  for (size_t i = 0; i < all.size(); ++i) {
    const bool head = i >= net_->head_begin();
    if ((o.adapt == "head" && !head) || (o.adapt == "body" && head)) continue;
    if (o.adapt_norm || all[i].name.find("norm.") == std::string::npos)
      adapted_.push_back(i);
  }
}

void InnerLoop::step(Params& phi, InnerOptimizer::State& state,
                     const Part& support, bool differentiable) const {
  if (state.rates.empty() && descend(phi, support, differentiable)) return;
  Norm norm;
  auto loss =
      task_loss(net_->forward(phi, {support.x, support.weight, {}}, norm),
                support, target_)
          .sum();
  std::vector<at::Tensor> inputs;
  for (size_t i : adapted_) inputs.push_back(phi[i]);
  auto gradients = torch::autograd::grad({loss}, inputs, {},
                                         /*retain_graph=*/differentiable,
                                         /*create_graph=*/differentiable);
  if (differentiable) {
    optimizer_.step(phi, adapted_, gradients, state);
  } else {
    at::NoGradGuard no_grad;
    optimizer_.step(phi, adapted_, gradients, state);
    for (size_t i : adapted_) phi[i].requires_grad_();
  }
}

bool InnerLoop::descend(Params& phi, const Part& support,
                        bool differentiable) const {
  if (!optimizer_.is_plain_descent() || target_ != TargetKind::values ||
      adapted_.size() != phi.size())
    return false;
  const at::AutoGradMode mode(differentiable);
  auto stepped = net_->descend(phi, {support.x, support.weight, {}}, support.y,
                               options_.inner_lr);
  if (stepped.empty()) return false;
  if (!differentiable)
    for (auto& p : stepped) p.requires_grad_();
  phi = std::move(stepped);
  return true;
}

Norm InnerLoop::query_norm(const Params& phi, const Part& support) const {
  Norm norm;
  if (!support_norm_) return norm;
  norm.record = true;
  net_->body(phi, {support.x, support.weight, {}}, norm);
  norm.mode = Norm::Mode::given;
  return norm;
}

at::Tensor InnerLoop::predict(const Params& phi, const Norm& norm,
                              const Part& part) const {
  Norm own = norm;
  return net_->forward(phi, {part.x, part.weight, {}}, own);
}

TaskLosses InnerLoop::query_losses(const Params& phi,
                                   const TaskBatch& batch) const {
  const auto& query = batch.query;
  if (target_ == TargetKind::values) {
    auto loss = net_->squared_error(phi, {query.x, query.weight, {}}, query.y);
    if (loss.defined()) return {loss, {}};
  }
  auto prediction = predict(phi, query_norm(phi, batch.support), query);
  return {task_loss(prediction, query, target_),
          task_accuracy(prediction, query, target_)};
}

void InnerLoop::train(Params& phi, InnerOptimizer::State& state,
                      const TaskBatch& batch, bool differentiable) const {
  for (int k = 0; k < options_.inner_steps; ++k)
    step(phi, state,
         minibatch(batch.support, batch.ids, options_.seed, k,
                   options_.inner_batch),
         differentiable);
}

void InnerLoop::adapt(Params params, InnerOptimizer::State state,
                      const TaskBatch& batch,
                      const Learner::Visit& visit) const {
  const int size = options_.eval_inner_batch < 0 ? options_.inner_batch
                                                 : options_.eval_inner_batch;
  Phi phi;
  phi.params = std::move(params);
  for (int k = 0;; ++k) {
    {
      at::NoGradGuard no_grad;
      phi.norm = query_norm(phi.params, batch.support);
      visit(k, phi);
    }
    if (k == eval_steps()) return;
    step(phi.params, state,
         minibatch(batch.support, batch.ids, options_.seed, k, size),
         /*differentiable=*/false);
  }
}

int InnerLoop::eval_steps() const {
  return options_.eval_steps < 0 ? options_.inner_steps : options_.eval_steps;
}

bool InnerLoop::transductive() const {
  return !support_norm_ && !net_->norm_channels().empty();
}

Part minibatch(const Part& support, const std::vector<TaskId>& ids,
               uint64_t seed, int step, int64_t size) {
  const int64_t n = support.x.size(1);
  if (size <= 0 || size >= n) return support;
  const auto tasks = static_cast<int64_t>(ids.size());
  auto index = at::empty({tasks, size}, at::kLong);
  auto* out = index.data_ptr<int64_t>();
  for (int64_t t = 0; t < tasks; ++t)
    for (int64_t i = 0; i < size; ++i) {
      const int64_t position = step * size + i;
      // The order of one pass is a permutation drawn for (task, pass).
      const auto pass = static_cast<uint32_t>(position / n);
      const auto order =
          Draws(seed, ids[t], Purpose::minibatch, pass).sample(n, n);
      *out++ = order[position % n];
    }
  index = index.to(support.x.device());
  auto pick = [&](const at::Tensor& all) {
    if (!all.defined()) return all;
    std::vector<int64_t> shape{tasks, size};
    std::vector<int64_t> expand{tasks, size};
    for (int64_t d = 2; d < all.dim(); ++d) {
      shape.push_back(1);
      expand.push_back(all.size(d));
    }
    return all.gather(1, index.view(shape).expand(expand));
  };
  return {pick(support.x), pick(support.y), pick(support.weight)};
}

}  // namespace protean
