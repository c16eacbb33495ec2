// A world to act in. Tasks differ in a few values (where the goal is, what the
// arms pay), which the environment draws and nobody else reads.
//
// Everything is stacked: T tasks and R rollouts of each move together, one step
// of time per call. An environment is immutable and any thread may use it: what
// a rollout is in lies in a tensor that the caller keeps, and randomness comes
// as standard normal numbers, so a rollout is a function of task, actions and
// noise.
#pragma once

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "protean/core/philox.h"
#include "protean/data/options.h"

namespace protean {

// continuous: an action is `size` values, of which [-1, 1] has an effect;
// discrete: one value, the number of one of `size` choices.
struct ActionSpace {
  int64_t size = 1;
  bool discrete = false;
};

class Environment {
 public:
  virtual ~Environment() = default;
  virtual ActionSpace actions() const = 0;
  virtual int64_t observation_size() const = 0;
  // Values that tell tasks apart, and those of one task.
  virtual int64_t task_size() const = 0;
  virtual void draw(Draws draws, float* task) const = 0;
  // Standard normal numbers that a step takes.
  virtual int64_t noise_size() const { return 0; }
  // Steps after which a rollout ends.
  virtual int64_t horizon() const = 0;

  // task: (T, R, task_size()) -> where rollouts start, (T, R, s).
  virtual at::Tensor reset(const at::Tensor& task) const = 0;
  // -> (T, R, observation_size()).
  virtual at::Tensor observe(const at::Tensor& state) const { return state; }
  struct Outcome {
    at::Tensor state;   // (T, R, s)
    at::Tensor reward;  // (T, R)
    at::Tensor done;    // (T, R) bool: over before the horizon
  };
  // action: (T, R, size) or (T, R, 1), see actions(); noise: (T, R,
  // noise_size()). All of one floating type.
  virtual Outcome step(const at::Tensor& task, const at::Tensor& state,
                       const at::Tensor& action,
                       const at::Tensor& noise) const = 0;
};

using EnvironmentPtr = std::shared_ptr<const Environment>;

// Whether data.source names an environment, and all that do: "point, ...".
bool is_environment(const std::string& source);
std::string environment_names();
// That one. Throws ConfigError naming the key on an impossible setting.
EnvironmentPtr make_environment(const DataOptions& options);

}  // namespace protean
