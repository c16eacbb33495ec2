// The outer step: what happens to theta once per meta-step.
//
// Runs on every rank with the same inputs, so theta keeps the same bits
// everywhere. It asks an Objective for global sums; most need one, some several
// (a GAN's discriminator then generator; ProMP's epochs; TRPO's line search).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"

namespace protean {

struct OptimOptions {
  // optim.name: adam, sgd or momentum.
  std::string name = "adam";
  double lr = 1e-3;         // optim.lr: outer step size at step 0
  double beta1 = 0.9;       // optim.beta1
  double beta2 = 0.999;     // optim.beta2
  double eps = 1e-8;        // optim.eps
  double momentum = 0.9;    // optim.momentum
  double weight_decay = 0;  // optim.weight_decay: L2, added to the gradient
  // optim.schedule: constant, cosine (to lr_end at run.steps), linear (to
  // lr_end) or step (times decay every decay_steps).
  std::string schedule = "constant";
  double lr_end = 0;           // optim.lr_end
  double decay = 0.5;          // optim.decay
  int64_t decay_steps = 2000;  // optim.decay_steps
  double clip_norm = 0;        // optim.clip_norm: of the mean gradient; 0 = off
  double clip_value = 0;       // optim.clip_value: per element; 0 = off
  // optim.retries: how often a run that diverges (a loss, gradient or parameter
  // that is not finite) goes back to its newest checkpoint, each time at half
  // the rate.
  int64_t retries = 0;
};

// The trainer's side: a global mean over the meta-batch per call, of the step's
// tasks at the current theta. Losses and meta-state of the step are those of
// the last call.
class Objective {
 public:
  virtual ~Objective() = default;
  // Mean meta-gradient of the learner's loss number `which` (see
  // Learner::gradient_of), over all ranks, flat float32, identical bits on
  // every rank.
  virtual at::Tensor gradient(int which) = 0;
};

struct StepContext {
  int64_t step = 0;   // 0-based
  int64_t steps = 0;  // run.steps
  double rate = 1;    // times what optim.lr and its schedule say
};

class OuterStep {
 public:
  virtual ~OuterStep() = default;
  // Changes theta in place (flat float32).
  virtual void run(Objective& objective, at::Tensor& theta,
                   const StepContext& context) = 0;
  // Flat float32 buffers that a checkpoint keeps, with their layout; empty for
  // plain SGD. The tensors may be written to (resume). After shard() they hold
  // the slice alone.
  struct State {
    std::vector<std::string> names;   // "m", "v"
    std::vector<at::Tensor> buffers;  // each theta-sized
    int64_t updates = 0;              // Adam's bias-correction count
  };
  virtual State& state() = 0;
  // Keeps and updates only elements [begin, end) of theta from now on; gather
  // then completes theta from all ranks' slices. False: this kind of step needs
  // all of it.
  struct Slice {
    int64_t begin = 0, end = 0;
    std::function<void(at::Tensor& theta)> gather;
  };
  virtual bool shard(const Slice& /*slice*/) { return false; }
  // Norm of the last mean gradient before clipping; a device is read for it.
  virtual double last_gradient_norm() const = 0;
};

std::unique_ptr<OuterStep> make_optimiser_step(const OptimOptions& options,
                                               int64_t size);

}  // namespace protean
