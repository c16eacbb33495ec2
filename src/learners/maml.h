// Model-agnostic meta-learning: Finn et al. 2017, arXiv:1703.03400, alg. 2.
//
//   phi_0 = theta;  phi_{k+1} = phi_k - alpha * grad L_S(phi_k)
//   meta-gradient: d L_Q(phi_K) / d theta, exact, or with phi_k treated as
//   constant (first order: the gradient at phi_K).
#pragma once

#include "learners/inner_loop.h"

namespace protean {

class Maml : public Learner {
 public:
  Maml(NetworkPtr net, const LearnerOptions& options, TargetKind target);

  std::string name() const override { return name_; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  bool transductive() const override { return inner_.transductive(); }
  int eval_steps() const override { return inner_.eval_steps(); }

 protected:
  // Where a task starts, from stacked copies of theta.
  struct Start {
    Params phi;
    InnerOptimizer::State state;
  };
  virtual Start start(Params theta) const { return {std::move(theta), {}}; }

  std::string name_;
  bool second_order_;
  InnerLoop inner_;
  MetaSpaces spaces_;
};

}  // namespace protean
