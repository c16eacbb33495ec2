// Layers that learners have besides their network. A layer adds its parameters
// to a space, which the learner may put behind others, and finds them again in
// Params. All tasks may share them, (1, ...), or each have its own, (T, ...).
#pragma once

#include <string>

#include "protean/models/network.h"

namespace protean {

// y = W x + b; W starts uniform by 1/sqrt(in), b at 0.
class LinearLayer {
 public:
  LinearLayer(ParameterSpace& space, const std::string& name, int64_t in,
              int64_t out);
  // (T, n, in) -> (T, n, out)
  at::Tensor operator()(const Params& p, const at::Tensor& x) const;

 private:
  size_t weight_;
};

// Long short-term memory, gates in the order input, forget, candidate, output
// (Hochreiter and Schmidhuber 1997, with forget gates).
class LstmLayer {
 public:
  struct State {
    at::Tensor h, c;  // (T, n, hidden)
  };
  LstmLayer(ParameterSpace& space, const std::string& name, int64_t in,
            int64_t hidden);
  int64_t hidden() const { return hidden_; }
  // Zeros for n sequences of T tasks.
  State start(int64_t tasks, int64_t n, const at::TensorOptions& options) const;
  // x: (T, n, in)
  State step(const Params& p, const at::Tensor& x, const State& s) const;

 private:
  int64_t hidden_;
  LinearLayer gates_;
};

}  // namespace protean
