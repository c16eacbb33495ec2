// Reptile: Nichol, Achiam, Schulman 2018, arXiv:1803.02999.
//
//   phi_t = theta after `inner_steps` optimiser steps on mini-batches of task t
//   theta <- theta + eps * mean_t (phi_t - theta)
//
// As a gradient: theta - mean phi, which a descent step with rate eps subtracts
// (optim.name = sgd, optim.schedule = linear). The released code's inner Adam
// has beta1 = 0 and never resets its second moments: they are meta-state here,
// so every task of a step starts from the same ones, on any number of ranks.
#pragma once

#include "learners/inner_loop.h"

namespace protean {

class Reptile : public Learner {
 public:
  Reptile(NetworkPtr net, const LearnerOptions& options, TargetKind target);

  std::string name() const override { return "reptile"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  bool transductive() const override { return inner_.transductive(); }
  TaskSizes task_sizes() const override { return inner_.task_sizes(); }
  bool takes_weights() const override { return true; }
  int eval_steps() const override { return inner_.eval_steps(); }

 private:
  // The optimiser's persistent moments, as T tasks start with them.
  InnerState start_state(const MetaView& meta, int64_t tasks) const;

  InnerLoop inner_;
  TargetKind target_;
  MetaSpaces spaces_;
};

}  // namespace protean
