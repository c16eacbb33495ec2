// Memory-augmented network (MANN): Santoro et al. 2016. An LSTM with an
// external memory M reads the support set example by example, each with the
// label of the one before, and then a query. At every step, with keys k of its
// four heads:
//
//   w_w = s w_r + (1 - s) w_lu      the last reading places, or unused ones
//   M <- M without the least used row, + w_w k
//   w_r = softmax b cos(k, M),  r = w_r M;  answer from [h, r]
//   w_u <- 0.95 w_u + sum of w_r + sum of w_w
//
// (least recently used access; s = sigmoid of a gate; head i has the i-th least
// used row; b is a strength of each key, as in Graves et al. 2014,
// arXiv:1410.5401, where Santoro et al. write none). The paper's episodes are
// one sequence of 50 images with a loss on each; here a task's support set is
// read first and every query is asked after it, so that tasks are those of all
// other learners. Inputs are features of the network's body. learner.width:
// units of the LSTM (200).
#pragma once

#include <memory>

#include "protean/models/layers.h"

#include "learners/metric.h"

namespace protean {

class Mann : public MetricLearner {
 public:
  Mann(NetworkPtr net, const LearnerOptions& options, int64_t ways);
  // Its memory would keep the padding.
  TaskSizes task_sizes() const override { return TaskSizes::equal_in_stack; }

 protected:
  Params remember(const Params& theta, const at::Tensor& features,
                  const Part& support, int64_t ways, Norm& norm) const override;
  at::Tensor compare(const Params& theta, const Params& memory,
                     const at::Tensor& features, Norm& norm) const override;

 private:
  // Of B sequences.
  struct State {
    LstmLayer::State controller;  // (1, B, units)
    at::Tensor memory;            // (B, rows, width)
    at::Tensor reading;           // w_r, (B, heads, rows)
    at::Tensor usage;             // w_u, (B, rows)
    at::Tensor read;              // r, (B, heads * width)
  };
  State start(int64_t sequences, const at::TensorOptions& options) const;
  // input: (B, f + N)
  State step(const Params& theta, const at::Tensor& input,
             const State& s) const;

  int64_t ways_;
  LstmLayer controller_;
  LinearLayer keys_, gates_, answer_;
};

}  // namespace protean
