// Fast context adaptation (CAVIA): Zintgraf et al. 2019, arXiv:1810.03642. The
// inner loop moves context values c that are joined to the input, and nothing
// else; theta is shared by all tasks:
//
//   c_0 = 0;  c_{k+1} = c_k - alpha * d L_S(theta, c_k) / d c
//   meta-gradient: d L_Q(theta, c_K) / d theta, through the steps, or with c_k
//   treated as constant (learner.second_order = false)
#pragma once

#include "protean/learners/learner.h"
#include "protean/learners/options.h"

namespace protean {

class Cavia : public Learner {
 public:
  // Needs a network with context values.
  Cavia(NetworkPtr net, const LearnerOptions& options, TargetKind target);

  std::string name() const override { return "cavia"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  bool transductive() const override { return !net_->norm_channels().empty(); }
  int eval_steps() const override;

 private:
  at::Tensor start(const TaskBatch& batch) const;
  // c after one step.
  at::Tensor step(const Params& theta, const at::Tensor& c, const Part& support,
                  bool differentiable) const;
  at::Tensor forward(const Params& theta, const at::Tensor& c,
                     const Part& part) const;

  NetworkPtr net_;
  LearnerOptions options_;
  TargetKind target_;
  MetaSpaces spaces_;
};

}  // namespace protean
