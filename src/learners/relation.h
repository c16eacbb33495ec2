// Relation networks: Sung et al. 2018, arXiv:1711.06025.
//
//   r(x, k) = g([sum of f(x_i) over class k, f(x)]) in (0, 1)
//   loss = mean over queries and classes of (r - 1[y = k])^2
//
// g is two blocks of 3x3 convolution, norm, ReLU and 2x2 max-pool, then a
// hidden layer (8 units in the paper) and a sigmoid. Pairs share the products
// of the first convolution: it is linear, so that of a pair is the sum of those
// of its halves. Logits here are before the sigmoid.
#pragma once

#include <memory>

#include "protean/models/layers.h"
#include "protean/models/norm_layer.h"

#include "learners/metric.h"

namespace protean {

class Relation : public MetricLearner {
 public:
  // Needs features of at least 4x4 pixels.
  Relation(NetworkPtr net, const LearnerOptions& options,
           const ModelOptions& model);
  // Its norms see every pair.
  TaskSizes task_sizes() const override { return TaskSizes::equal_in_stack; }
  bool takes_weights() const override { return true; }

 protected:
  Params remember(const Params& theta, const at::Tensor& features,
                  const Part& support, int64_t ways, Norm& norm) const override;
  at::Tensor compare(const Params& theta, const Params& memory,
                     const at::Tensor& features, Norm& norm) const override;
  at::Tensor loss(const at::Tensor& scores, const Params& memory,
                  const Part& query) const override;

 private:
  // Products of the first convolution with one half of the pair: (T, m, C, h,
  // w) of features (T, m, f).
  at::Tensor half(const Params& theta, const at::Tensor& features,
                  int64_t which) const;

  std::vector<int64_t> shape_;  // C, h, w
  size_t first_, second_;       // weights of the convolutions
  std::unique_ptr<NormLayer> first_norm_, second_norm_;
  std::unique_ptr<LinearLayer> hidden_, score_;
};

}  // namespace protean
