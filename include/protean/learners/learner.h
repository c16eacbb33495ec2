// A learner is an algorithm: how phi comes from theta and a support set, and
// what the meta-gradient is. It never sees a rank, a file or a clock.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"
#include "protean/learners/outer_step.h"
#include "protean/models/network.h"
#include "protean/tasks/task_batch.h"

namespace protean {

// Layout of what lives across tasks.
struct MetaSpaces {
  ParameterSpace theta;  // meta-parameters, moved by the outer step
  // Meta-state: every task starts from the same value; the new value is the
  // mean over the meta-batch of what the tasks made of it.
  ParameterSpace state;
};

// theta and meta-state as flat buffers of one floating type, or their sums.
struct MetaView {
  at::Tensor theta;  // (spaces.theta.size())
  at::Tensor state;  // (spaces.state.size())
};

// Per task of the stack, (T), detached. accuracy is undefined for regression.
struct TaskLosses {
  at::Tensor loss;
  at::Tensor accuracy;
};

// What adaptation made of theta for T tasks.
struct Phi {
  Params params;
  Norm norm;      // how predict() normalises
  Params memory;  // learner's own: prototypes (T, N, f), ...
};

// How much training tasks may differ in their numbers of classes and shots.
enum class TaskSizes {
  equal,           // not at all
  equal_in_stack,  // between stacks
  any              // also in a stack, padded
};

class Learner {
 public:
  virtual ~Learner() = default;
  virtual std::string name() const = 0;
  virtual const MetaSpaces& spaces() const = 0;
  // Initial theta and meta-state (float32).
  virtual void initialise(const MetaView& meta, uint64_t seed) const = 0;
  // Adds to sums.theta the sum over the stack's tasks of the meta-gradient, and
  // to sums.state the sum of the tasks' new meta-states. meta is not changed.
  // The floating type of meta decides the type of the computation.
  virtual TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                              const MetaView& sums) const = 0;
  // The same for loss number `which`: an outer step may descend several in
  // turn, each at the theta that the one before left (a GAN's discriminator,
  // then its generator). which < losses(), or it throws Error.
  virtual TaskLosses gradient_of(int which, const TaskBatch& batch,
                                 const MetaView& meta,
                                 const MetaView& sums) const;
  virtual int losses() const { return 1; }
  // Test-time adaptation: visit(k, phi) after k = 0 ... eval_steps() inner
  // steps. phi is valid during the visit. Not differentiable.
  using Visit = std::function<void(int step, const Phi& phi)>;
  virtual void adapt(const TaskBatch& batch, const MetaView& meta,
                     const Visit& visit) const = 0;
  // -> logits (T, n, N) or values (T, n, d); for learners that model examples
  // rather than targets, log-likelihoods (T, n, 1) of the examples in nats.
  virtual at::Tensor predict(const Phi& phi, const Part& part) const = 0;
  // Features of examples, (T, n, f), by the network that phi holds. Throws
  // Error where a learner has none of use to others.
  virtual at::Tensor features(const Phi& phi, const Part& part) const;
  // Whether adapt() visits after each support image, not after each step.
  virtual bool visits_support() const { return false; }
  // Whether predictions of one query example depend on the other queries.
  virtual bool transductive() const = 0;
  virtual TaskSizes task_sizes() const { return TaskSizes::any; }
  // Whether a support example may weigh less than others (Part::weight between
  // 0 and 1), as if there were only so much of it.
  virtual bool takes_weights() const { return false; }
  // How many inner steps evaluation makes; 0 for metric learners.
  virtual int eval_steps() const { return 0; }
  // The step on theta; the default is one gradient and one optimiser step.
  virtual std::unique_ptr<OuterStep> outer(const OptimOptions& options) const {
    return make_optimiser_step(options, spaces().theta.size());
  }
};

using LearnerPtr = std::shared_ptr<const Learner>;

}  // namespace protean
