// Matching networks: Vinyals et al. 2016, arXiv:1606.04080.
//
//   y(x) = sum_i a(x, x_i) y_i,  a = softmax over the support of
//   cos(f(x), g(x_i)) / learner.temperature
//
// For classes the loss is -log P(true class); for values y(x) is the
// prediction. The paper has temperature 1.
//
// learner.full_context makes both embeddings depend on the whole support set
// (their appendix A.2 and A.1): g adds the two directions of an LSTM that reads
// it, f makes learner.context_reads steps of an LSTM that attends to it:
//
//   g(x_i) = g'(x_i) + forward_i + backward_i
//   h_k = LSTM(f'(x), [h_{k-1}, r_{k-1}]) + f'(x),
//   r_k = sum_i softmax_i(h_k . g(x_i)) g(x_i)
#pragma once

#include <memory>

#include "protean/models/layers.h"

#include "learners/metric.h"

namespace protean {

class Matching : public MetricLearner {
 public:
  Matching(NetworkPtr net, const LearnerOptions& options, TargetKind target);

  // An LSTM would read the padding.
  TaskSizes task_sizes() const override {
    return forward_ ? TaskSizes::equal_in_stack : TaskSizes::any;
  }
  // So much of a vote.
  bool takes_weights() const override { return !forward_; }

 protected:
  Params remember(const Params& theta, const at::Tensor& features,
                  const Part& support, int64_t ways, Norm& norm) const override;
  at::Tensor compare(const Params& theta, const Params& memory,
                     const at::Tensor& features, Norm& norm) const override;

 private:
  at::Tensor embed_support(const Params& theta, const at::Tensor& x) const;
  at::Tensor embed_query(const Params& theta, const at::Tensor& x,
                         const at::Tensor& support,
                         const at::Tensor& absent) const;

  double temperature_;
  int reads_;
  // Full context embeddings; null without.
  std::unique_ptr<LstmLayer> forward_, backward_, attend_;
};

}  // namespace protean
