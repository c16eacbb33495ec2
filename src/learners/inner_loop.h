// What optimisation-based learners share: the choice of adapted parameters, a
// gradient on the support set, prediction on the query set.
#pragma once

#include <vector>

#include "protean/learners/learner.h"
#include "protean/learners/options.h"

#include "learners/inner_optimizer.h"

namespace protean {

class InnerLoop {
 public:
  InnerLoop(NetworkPtr net, const LearnerOptions& options, TargetKind target);

  const Network& net() const { return *net_; }
  const InnerOptimizer& optimizer() const { return optimizer_; }
  const std::vector<size_t>& adapted() const { return adapted_; }

  // One step on a support set (or a mini-batch of one): phi and state move on.
  // differentiable keeps the graph from the gradient back to phi.
  void step(Params& phi, InnerOptimizer::State& state, const Part& support,
            bool differentiable) const;

  // The inner loop of meta-training, from phi: learner.inner_steps steps.
  void train(Params& phi, InnerOptimizer::State& state, const TaskBatch& batch,
             bool differentiable) const;
  // The inner loop of evaluation, see Learner::adapt.
  void adapt(Params phi, InnerOptimizer::State state, const TaskBatch& batch,
             const Learner::Visit& visit) const;
  int eval_steps() const;
  // See Learner::transductive.
  bool transductive() const;

  // How queries are normalised after adaptation.
  Norm query_norm(const Params& phi, const Part& support) const;
  at::Tensor predict(const Params& phi, const Norm& norm,
                     const Part& part) const;
  // Loss and accuracy on a query set; the loss is differentiable.
  TaskLosses query_losses(const Params& phi, const TaskBatch& batch) const;

 private:
  // A whole step by the network's own op: false where there is none.
  bool descend(Params& phi, const Part& support, bool differentiable) const;

  NetworkPtr net_;
  LearnerOptions options_;
  InnerOptimizer optimizer_;
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
