// Prototypical networks: Snell, Swersky, Zemel 2017, arXiv:1703.05175.
//
//   c_k = mean of f(x) over the support examples of class k
//   p(k | x) = softmax over all prototypes of -||f(x) - c_k||^2
//
// (Algorithm 1 as printed lacks the prime in the log-sum; equations 1 and 2
// are what is computed here.) Training normalises the joined support and query
// examples by their own moments; evaluation uses running moments, which are
// meta-state: inductive.
#pragma once

#include "protean/learners/learner.h"
#include "protean/learners/options.h"

namespace protean {

class ProtoNet : public Learner {
 public:
  // The network's head is not used.
  ProtoNet(NetworkPtr net, const LearnerOptions& options);

  std::string name() const override { return "protonet"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  bool transductive() const override { return false; }

 private:
  // The parameters of the body, (1, shape...), as leaves for training.
  Params body_params(const MetaView& meta, bool train) const;

  NetworkPtr net_;
  double momentum_;
  MetaSpaces spaces_;
};

// Mean of the features of each class. features: (T, n, f), y: (T, n) in
// [0, ways), weight: (T, n) or undefined -> (T, ways, f).
at::Tensor prototypes(const at::Tensor& features, const at::Tensor& y,
                      const at::Tensor& weight, int64_t ways);

// -||x - c||^2 for every pair. x: (T, n, f), c: (T, N, f) -> (T, n, N).
at::Tensor negative_squared_distance(const at::Tensor& x, const at::Tensor& c);

}  // namespace protean
