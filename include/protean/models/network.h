// A network is a pure function of stacked parameters: no state, no tensors of
// its own. Body and head are apart, for learners that adapt only one of them
// or need features.
#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"

namespace protean {

// One tensor per parameter of a space: (T, shape...), or (1, shape...) when
// all tasks share it.
using Params = std::vector<at::Tensor>;

// Moments of one normalisation layer, (T, C) or (1, C).
struct Moments {
  at::Tensor mean, variance;
  // How many values of a channel they are of: so many images, (T or 1, 1), of
  // so many places each; undefined where it is not known.
  at::Tensor images;
  int64_t places = 1;
};

// How the normalisation layers of one forward pass behave.
struct Norm {
  // batch: by the moments of the examples at hand (transductive on a query
  // set). given: by `moments`, in layer order.
  enum class Mode { batch, given } mode = Mode::batch;
  std::vector<Moments> moments;  // in for given; out for batch when recorded
  bool record = false;
};

struct NetInput {
  at::Tensor x;        // (T, n, ...)
  at::Tensor weight;   // (T, n), 0 = padding; undefined when unpadded
  at::Tensor context;  // (T, c): CAVIA, FiLM, task codes; undefined when none
};

class Network {
 public:
  virtual ~Network() = default;
  // Body parameters first, then the head's. They say how they begin
  // (initialise.h).
  virtual const ParameterSpace& params() const = 0;
  virtual size_t head_begin() const = 0;  // index of the head's first parameter
  // How many context values an input takes; 0: none.
  virtual int64_t context_size() const { return 0; }
  // Channels of every layer that looks at the moments of a task's images, in
  // order; empty without such norms.
  virtual std::vector<int64_t> norm_channels() const = 0;
  // What the f features of an example are: {C, h, w}, C slowest, or {f}.
  virtual std::vector<int64_t> feature_shape() const = 0;
  // -> features (T, n, f)
  virtual at::Tensor body(const Params& p, const NetInput& in,
                          Norm& norm) const = 0;
  // -> logits or values (T, n, out)
  virtual at::Tensor head(const Params& p,
                          const at::Tensor& features) const = 0;
  virtual at::Tensor forward(const Params& p, const NetInput& in,
                             Norm& norm) const {
    return head(p, body(p, in, norm));
  }
  // Small networks spend more on calls than on arithmetic; they may have ops of
  // their own for what inner loops do. Both are differentiable; undefined and
  // empty where there is none. y: (T, n, out).
  // Mean squared error per task, (T).
  virtual at::Tensor squared_error(const Params& p, const NetInput& in,
                                   const at::Tensor& y) const {
    return {};
  }
  // The parameters after one step of gradient descent on it.
  virtual Params descend(const Params& p, const NetInput& in,
                         const at::Tensor& y, double lr) const {
    return {};
  }
};

using NetworkPtr = std::shared_ptr<const Network>;

}  // namespace protean
