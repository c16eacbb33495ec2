#include "learners/inner_loop.h"

#include <algorithm>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/learners/task_loss.h"
#include "protean/tasks/upload.h"

#include "learners/recomputed.h"

namespace protean {

InnerLoop::InnerLoop(NetworkPtr net, const LearnerOptions& o, TargetKind target,
                     std::shared_ptr<const InnerUpdate> update)
    : net_(std::move(net)),
      options_(o),
      optimizer_(o),
      update_(std::move(update)),
      target_(target) {
  check_inner_steps(o);
  check_choice("learner.query_norm", o.query_norm, {"batch", "support"});
  support_norm_ = o.query_norm == "support" && !net_->norm_channels().empty();
  if (o.truncate < 0 || o.truncate > o.inner_steps)
    throw ConfigError(
        concat("learner.truncate = ", o.truncate,
               "; expected 0 to learner.inner_steps = ", o.inner_steps));
  if (update_ && o.inner_optimizer != "sgd")
    throw ConfigError(concat("learner.inner_optimizer = \"", o.inner_optimizer,
                             "\"; expected sgd with learner.name = ", o.name,
                             ", whose steps are its own"));
  // "context" is what CAVIA sets, which checks that there are any.
  if (o.adapt != "context")
    check_choice("learner.adapt", o.adapt, {"all", "head", "body"});
  const auto& all = net_->params().parameters();
  if (o.adapt == "context") adapted_.push_back(all.size());
  for (size_t i = 0; i < all.size() && o.adapt != "context"; ++i) {
    const bool head = i >= net_->head_begin();
    if ((o.adapt == "head" && !head) || (o.adapt == "body" && head)) continue;
    if (o.adapt_norm || !all[i].is(kNorm)) adapted_.push_back(i);
  }
}

NetInput InnerLoop::input(const Params& phi, const Part& part) const {
  return {part.x, part.weight,
          net_->context_size() > 0 ? phi.back() : at::Tensor()};
}

at::Tensor InnerLoop::support_loss(const Params& phi,
                                   const Part& support) const {
  return task_loss(predict(phi, {}, support), support, target_);
}

void InnerLoop::step(Params& phi, InnerState& state, const Part& support,
                     Through through) const {
  if (through != Through::first_order &&
      descend(phi, state, support, through == Through::exact))
    return;
  const InnerUpdate& update =
      update_ ? *update_ : static_cast<const InnerUpdate&>(optimizer_);
  inner_step(
      phi, state, adapted_,
      [&](const Params& at) { return support_loss(at, support); }, update,
      through, options_.proximal);
}

bool InnerLoop::descend(Params& phi, InnerState& state, const Part& support,
                        bool differentiable) const {
  if (update_ || !optimizer_.is_plain_descent() || !state.rates.empty() ||
      options_.proximal > 0 || target_ != TargetKind::values ||
      adapted_.size() != net_->params().count())
    return false;
  const at::AutoGradMode mode(differentiable);
  auto stepped =
      net_->descend(phi, input(phi, support), support.y, options_.inner_lr);
  if (stepped.empty()) return false;
  if (!differentiable)
    for (auto& p : stepped) p.requires_grad_();
  std::move(stepped.begin(), stepped.end(), phi.begin());
  state.updates += 1;
  return true;
}

TaskSizes InnerLoop::task_sizes() const {
  // A mini-batch may be all padding.
  return options_.inner_batch > 0 || options_.eval_inner_batch > 0
             ? TaskSizes::equal_in_stack
             : TaskSizes::any;
}

Norm InnerLoop::query_norm(const Params& phi, const Part& support) const {
  Norm norm;
  if (!support_norm_) return norm;
  norm.record = true;
  net_->body(phi, input(phi, support), norm);
  norm.mode = Norm::Mode::given;
  return norm;
}

at::Tensor InnerLoop::predict(const Params& phi, const Norm& norm,
                              const Part& part) const {
  Norm own = norm;
  return of_present(net_->forward(phi, input(phi, part), own), part);
}

TaskLosses InnerLoop::query_losses(const Params& phi,
                                   const TaskBatch& batch) const {
  const auto& query = batch.query;
  if (target_ == TargetKind::values) {
    auto loss = net_->squared_error(phi, input(phi, query), query.y);
    if (loss.defined()) return {loss, {}};
  }
  auto prediction = predict(phi, query_norm(phi, batch.support), query);
  return {task_loss(prediction, query, target_),
          task_accuracy(prediction, query, target_)};
}

namespace {

// Parameters that differ from step to step.
void take_rows(Params& phi, const InnerState& state, int step) {
  for (const auto& [i, rows] : state.rows)
    phi[i] = rows.select(1, std::min<int64_t>(step, rows.size(1) - 1));
}

// Every tensor that a step may read or write, but phi's.
std::vector<at::Tensor*> tensors(InnerState& state) {
  std::vector<at::Tensor*> out;
  for (Params* list :
       {&state.first, &state.second, &state.learned, &state.anchor})
    for (auto& t : *list) out.push_back(&t);
  for (auto& rates : state.rates)
    for (auto& t : rates) out.push_back(&t);
  return out;
}

}  // namespace

void InnerLoop::recomputed_step(Params& phi, InnerState& state,
                                const Part& support, Through through) const {
  const size_t count = phi.size();
  Params inputs = phi;
  for (const at::Tensor* t : tensors(state)) inputs.push_back(*t);
  auto after = std::make_shared<InnerState>();
  auto outputs = recomputed(
      [this, state, support, through, count, after](const Params& in) {
        Params own(in.begin(), in.begin() + static_cast<int64_t>(count));
        InnerState s = state;
        size_t next = count;
        for (at::Tensor* t : tensors(s)) *t = in[next++];
        step(own, s, support, through);
        *after = s;
        for (const at::Tensor* t : tensors(s)) own.push_back(*t);
        return own;
      },
      inputs);
  state = *after;
  size_t next = count;
  for (at::Tensor* t : tensors(state)) *t = outputs[next++];
  outputs.resize(count);
  phi = std::move(outputs);
}

void InnerLoop::train(Params& phi, InnerState& state, const TaskBatch& batch,
                      Through through, const After& after) const {
  for (int k = 0; k < options_.inner_steps; ++k) {
    take_rows(phi, state, k);
    const auto part = minibatch(batch.support, batch.ids, options_.seed, k,
                                options_.inner_batch);
    const bool early =
        options_.truncate > 0 && k < options_.inner_steps - options_.truncate;
    const auto seen = early ? std::min(through, Through::first_order) : through;
    // A first-order step of an optimiser leaves next to nothing in memory.
    if (options_.checkpoint && seen != Through::nothing &&
        (seen == Through::exact || update_))
      recomputed_step(phi, state, part, seen);
    else
      step(phi, state, part, seen);
    if (after) after(k, phi);
  }
}

void InnerLoop::adapt(Params params, InnerState state, const TaskBatch& batch,
                      const Learner::Visit& visit) const {
  const int size = options_.eval_inner_batch < 0 ? options_.inner_batch
                                                 : options_.eval_inner_batch;
  Phi phi;
  phi.params = std::move(params);
  visit_steps(
      eval_steps(),
      [&](int k) {
        // Queries after step k see what that step saw.
        take_rows(phi.params, state, std::max(k - 1, 0));
        phi.norm = query_norm(phi.params, batch.support);
        visit(k, phi);
      },
      [&](int k) {
        take_rows(phi.params, state, k);
        step(phi.params, state,
             minibatch(batch.support, batch.ids, options_.seed, k, size),
             Through::nothing);
      });
}

int InnerLoop::eval_steps() const { return steps_of_evaluation(options_); }

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
  index = upload(index, support.x.device());
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
  return {pick(support.x), pick(support.y), pick(support.weight), support.ways,
          support.absent};
}

}  // namespace protean
