// A stochastic policy: a network of the observation gives the mean of a normal
// distribution over actions, whose deviations are parameters of their own; or,
// for discrete actions, logits.
#pragma once

#include "protean/models/network.h"
#include "protean/tasks/environment.h"

namespace protean {

// Of actions at n observations of each task.
struct ActionLaw {
  at::Tensor value;  // (T, n, size): means, or log-probabilities of choices
  at::Tensor log_deviation;  // (T or 1, 1, size); undefined: discrete

  // From standard normal noise (T, n, noise size), (T, n, size or 1).
  at::Tensor sample(const at::Tensor& noise) const;
  // Natural logarithm of the density, or probability, of actions: (T, n).
  at::Tensor log_likelihood(const at::Tensor& action) const;
};
// KL(p || q) in nats, (T, n).
at::Tensor divergence(const ActionLaw& p, const ActionLaw& q);

class Policy {
 public:
  // deviation: initial one of continuous actions.
  Policy(NetworkPtr net, const ActionSpace& actions, double deviation);

  // The network's parameters, then log_deviation.
  const ParameterSpace& params() const { return space_; }
  void initialise(float* theta, uint64_t seed) const;
  // observation: (T, n, o).
  ActionLaw at(const Params& p, const at::Tensor& observation) const;
  // Normal numbers per action, and values of one.
  int64_t noise_size() const { return actions_.discrete ? 1 : actions_.size; }

 private:
  NetworkPtr net_;
  ActionSpace actions_;
  double deviation_;
  ParameterSpace space_;
};

}  // namespace protean
