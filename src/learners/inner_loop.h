// What optimisation-based learners share: the choice of adapted parameters, a
// gradient on the support set, prediction on the query set.
//
// phi holds the network's parameters and, where the network takes context
// values, those after them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "protean/learners/inner_optimizer.h"
#include "protean/learners/learner.h"
#include "protean/learners/options.h"
#include "protean/learners/unroll.h"

namespace protean {

class InnerLoop {
 public:
  // update: what a step does with gradients; null: learner.inner_optimizer.
  InnerLoop(NetworkPtr net, const LearnerOptions& options, TargetKind target,
            std::shared_ptr<const InnerUpdate> update = nullptr);

  const Network& net() const { return *net_; }
  const InnerOptimizer& optimizer() const { return optimizer_; }
  const std::vector<size_t>& adapted() const { return adapted_; }
  int steps() const { return options_.inner_steps; }

  // One step on a support set (or a mini-batch of one): phi and state move on.
  void step(Params& phi, InnerState& state, const Part& support,
            Through through) const;

  // The inner loop of meta-training, from phi: learner.inner_steps steps, of
  // which `through` holds for the last learner.truncate (0: all), and
  // first_order at most for those before. after(k, phi): after step k.
  using After = std::function<void(int k, const Params& phi)>;
  void train(Params& phi, InnerState& state, const TaskBatch& batch,
             Through through, const After& after = {}) const;
  // The inner loop of evaluation, see Learner::adapt.
  void adapt(Params phi, InnerState state, const TaskBatch& batch,
             const Learner::Visit& visit) const;
  int eval_steps() const;
  // See Learner.
  bool transductive() const;
  TaskSizes task_sizes() const;

  // How queries are normalised after adaptation.
  Norm query_norm(const Params& phi, const Part& support) const;
  at::Tensor predict(const Params& phi, const Norm& norm,
                     const Part& part) const;
  // Loss and accuracy on a query set; the loss is differentiable.
  TaskLosses query_losses(const Params& phi, const TaskBatch& batch) const;
  // Mean loss of each task on a support set, (T), as the steps see it.
  at::Tensor support_loss(const Params& phi, const Part& support) const;

 private:
  // A whole step by the network's own op: false where there is none.
  bool descend(Params& phi, InnerState& state, const Part& support,
               bool differentiable) const;
  void recomputed_step(Params& phi, InnerState& state, const Part& support,
                       Through through) const;
  NetInput input(const Params& phi, const Part& part) const;

  NetworkPtr net_;
  LearnerOptions options_;
  InnerOptimizer optimizer_;
  std::shared_ptr<const InnerUpdate> update_;
  std::vector<size_t> adapted_;
  TargetKind target_;
  bool support_norm_;  // queries by the support set's moments
};

// The part of a support set that inner step `step` of each task uses: `size`
// examples per step, cycling through the set, reshuffled on every pass,
// leftovers carried over. size 0 or >= the set: the whole set.
Part minibatch(const Part& support, const std::vector<TaskId>& ids,
               uint64_t seed, int step, int64_t size);

}  // namespace protean
