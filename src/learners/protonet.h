// Prototypical networks: Snell, Swersky, Zemel 2017, arXiv:1703.05175.
//
//   c_k = mean of f(x) over the support examples of class k
//   p(k | x) = softmax over all prototypes of -||f(x) - c_k||^2
//
// (Algorithm 1 as printed lacks the prime in the log-sum; equations 1 and 2
// are what is computed here.)
#pragma once

#include "learners/metric.h"

namespace protean {

class ProtoNet : public MetricLearner {
 public:
  ProtoNet(NetworkPtr net, const LearnerOptions& options);
  bool takes_weights() const override { return true; }

 protected:
  Params remember(const Params& theta, const at::Tensor& features,
                  const Part& support, int64_t ways, Norm& norm) const override;
  at::Tensor compare(const Params& theta, const Params& memory,
                     const at::Tensor& features, Norm& norm) const override;
};

// Weighted mean of the features of each class, zeros where none has a weight.
// features: (T, n, f) -> (T, ways, f).
at::Tensor prototypes(const at::Tensor& features, const Part& support,
                      int64_t ways);

}  // namespace protean
