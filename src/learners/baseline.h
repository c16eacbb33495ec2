// Transfer without meta-learning: a network trained as a plain classifier of
// all training classes (task.flat_batch), or on all tasks of values at once,
// and then what learner.readout makes of a support set:
//
//   head       a linear layer on frozen features, from zero, by the inner loop
//              (Chen et al. 2019, arXiv:1904.04232)
//   all        the whole network by the inner loop, its head from zero
//   neighbour  the nearest support example by the cosine of features
//              (Vinyals et al. 2016's baseline)
//   pixels     the nearest one by Euclidean distance of inputs: the network is
//              not used
//
// Values keep the trained head where classes start from zero. Frozen features
// are normalised by running moments, which are meta-state.
#pragma once

#include <memory>

#include "learners/inner_loop.h"

namespace protean {

class Baseline : public Learner {
 public:
  Baseline(NetworkPtr net, const LearnerOptions& options, TargetKind target);

  std::string name() const override { return "baseline"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  bool transductive() const override;
  TaskSizes task_sizes() const override { return TaskSizes::equal; }
  int eval_steps() const override;

 private:
  enum class Readout { head, all, neighbour, pixels };
  bool neighbours() const {
    return readout_ == Readout::neighbour || readout_ == Readout::pixels;
  }
  // What neighbours are compared by, (T, n, f); frozen features for the head.
  at::Tensor features(const Params& theta, const Norm& norm,
                      const Part& part) const;
  // The head that T tasks of N classes start from.
  Params start_head(const Params& theta, const TaskBatch& batch) const;

  NetworkPtr net_;
  Readout readout_;
  TargetKind target_;
  double momentum_;
  std::unique_ptr<InnerLoop> inner_;  // of head and all
  MetaSpaces spaces_;
};

}  // namespace protean
