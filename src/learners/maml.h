// Model-agnostic meta-learning: Finn et al. 2017, arXiv:1703.03400, alg. 2.
//
//   phi_0 = theta;  phi_{k+1} = phi_k - alpha * grad L_S(phi_k)
//   meta-gradient: d L_Q(phi_K) / d theta, exact, or with the inner gradients
//   treated as constants (first order: the gradient at phi_K).
//
// learner.first_order_steps meta-steps are first order before the others
// (derivative-order annealing, Antoniou et al. 2019). learner.truncate makes
// all // but the last inner steps first order; learner.checkpoint recomputes
// them. With learner.multi_loss_steps the outer loss is a weighted sum of the
// query losses after all inner steps; the weights of all but the last fall from
// 1/K to 0.03/K over so many meta-steps, and are 0 from then on (theirs too).
#pragma once

#include "learners/inner_loop.h"

namespace protean {

class Maml : public Learner {
 public:
  Maml(NetworkPtr net, const LearnerOptions& options, TargetKind target,
       std::shared_ptr<const InnerUpdate> update = nullptr);

  std::string name() const override { return name_; }
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

 protected:
  // Where a task starts.
  struct Start {
    Params phi;
    InnerState state;
  };
  // theta: one tensor per parameter, (T, ...) where tasks adapt it, else
  // (1, ...).
  virtual Start start(Params theta, const TaskBatch& batch) const {
    return {std::move(theta), {}};
  }
  // start(), and what the options add.
  Start start_tasks(Params theta, const TaskBatch& batch) const;
  // theta as autograd leaves for start().
  Params leaves(const at::Tensor& theta, int64_t tasks) const;
  // Weight of the query loss after inner step k in the outer loss of a
  // meta-step.
  double step_weight(int k, int64_t meta_step) const;

  std::string name_;
  LearnerOptions options_;
  InnerLoop inner_;
  MetaSpaces spaces_;
};

}  // namespace protean
