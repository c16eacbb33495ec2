// SNAIL: Mishra et al. 2018, arXiv:1707.03141. A stack of causal attention and
// temporal convolution reads the labelled support examples in turn, and then
// one unlabelled query, which it answers:
//
//   attention(64, 32), TC(128), attention(256, 128), TC(128),
//   attention(512, 256), linear
//   TC: ceil(log2(N K + 1)) dense blocks tanh o sigmoid of a causal convolution
//   of two taps, 1, 2, 4, ... apart
//
// Nothing before the query depends on it, so the support is read once for all
// queries of a task. It comes class after class, classes in random order; in
// the paper all examples are shuffled. learner.width scales all sizes: it is
// that of the first keys.
#pragma once

#include <vector>

#include "protean/models/layers.h"

#include "learners/metric.h"

namespace protean {

class Snail : public MetricLearner {
 public:
  // ways: of all tasks. support: examples of a training task.
  Snail(NetworkPtr net, const LearnerOptions& options, int64_t ways,
        int64_t support);
  TaskSizes task_sizes() const override { return TaskSizes::equal; }

 protected:
  Params remember(const Params& theta, const at::Tensor& features,
                  const Part& support, int64_t ways, Norm& norm) const override;
  at::Tensor compare(const Params& theta, const Params& memory,
                     const at::Tensor& features, Norm& norm) const override;

 private:
  // Support examples in their order, (T, m, c), and queries, each as the one
  // example after them, (T, n, c).
  struct Sequence {
    at::Tensor support, query;
  };
  struct Attention {
    LinearLayer query, key, value;
  };
  struct DenseBlock {
    LinearLayer now, before;
    int64_t apart;
  };
  struct Layer {
    std::vector<Attention> attention;  // one, or none
    std::vector<DenseBlock> blocks;
  };
  void add_attention(const std::string& name, int64_t& channels, int64_t keys,
                     int64_t values);
  void add_convolutions(const std::string& name, int64_t& channels,
                        int64_t filters, int64_t length);
  Sequence attend(const Params& theta, const Attention& a,
                  const Sequence& x) const;
  Sequence convolve(const Params& theta, const DenseBlock& b,
                    const Sequence& x) const;

  int64_t ways_;
  std::vector<Layer> layers_;
  std::vector<LinearLayer> answer_;
};

}  // namespace protean
