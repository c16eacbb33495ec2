// Siamese networks for one-shot recognition: Koch, Zemel, Salakhutdinov 2015.
//
//   h = sigmoid(W f(x) + b);  z(x, x') = sum_j a_j |h_j(x) - h_j(x')| + c
//   P(same class) = sigmoid(z), trained by cross-entropy
//
// The pairs are those of each query with each support example of its task; same
// and different ones weigh one half each, as in the paper's balanced batches. A
// class is judged by its most similar support example. The paper has 4096 units
// in h, on 105x105 pixels and larger kernels.
#pragma once

#include "protean/models/layers.h"

#include "learners/metric.h"

namespace protean {

class Siamese : public MetricLearner {
 public:
  Siamese(NetworkPtr net, const LearnerOptions& options);

 protected:
  Params remember(const Params& theta, const at::Tensor& features,
                  const Part& support, int64_t ways, Norm& norm) const override;
  // z of every pair, (T, n, m).
  at::Tensor compare(const Params& theta, const Params& memory,
                     const at::Tensor& features, Norm& norm) const override;
  at::Tensor answer(const at::Tensor& scores,
                    const Params& memory) const override;
  at::Tensor loss(const at::Tensor& scores, const Params& memory,
                  const Part& query) const override;

 private:
  LinearLayer hidden_, score_;
};

}  // namespace protean
