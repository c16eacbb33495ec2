#include "protean/learners/inner_optimizer.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"

namespace protean {

void check_inner_steps(const LearnerOptions& o) {
  if (o.inner_steps < 1)
    throw ConfigError(concat("learner.inner_steps = ", o.inner_steps,
                             "; expected at least 1"));
  if (!(o.inner_lr > 0))
    throw ConfigError(concat("learner.inner_lr = ", o.inner_lr,
                             "; expected a value above 0"));
}

InnerOptimizer::InnerOptimizer(const LearnerOptions& options)
    : options_(options) {
  const auto& name = options.inner_optimizer;
  if (name == "sgd")
    kind_ = Kind::sgd;
  else if (name == "momentum")
    kind_ = Kind::momentum;
  else if (name == "adam")
    kind_ = Kind::adam;
  else
    throw ConfigError(concat("learner.inner_optimizer = \"", name,
                             "\"; expected one of: sgd, momentum, adam"));
}

void InnerOptimizer::step(Params& phi, const std::vector<size_t>& adapted,
                          const Params& gradients, const at::Tensor&,
                          InnerState& state) const {
  const double lr = options_.inner_lr;
  const bool first_use = state.first.empty();
  if (kind_ != Kind::sgd && first_use) {
    state.first.resize(gradients.size());
    state.before = state.updates;
    // Second moments may have been given: Reptile's outlive the task.
    if (kind_ == Kind::adam && state.second.empty())
      for (const auto& g : gradients) state.second.push_back(at::zeros_like(g));
  }
  const Params* rates = nullptr;
  if (!state.rates.empty()) {
    const auto k = static_cast<size_t>(state.updates);
    rates = &state.rates[std::min(k, state.rates.size() - 1)];
  }
  state.updates += 1;
  const double beta1 = options_.inner_beta1, beta2 = options_.inner_beta2;
  const double correct1 = 1 - std::pow(beta1, state.updates - state.before);
  const double correct2 = 1 - std::pow(beta2, state.updates);
  for (size_t j = 0; j < gradients.size(); ++j) {
    const auto& g = gradients[j];
    auto& p = phi[adapted[j]];
    switch (kind_) {
      case Kind::sgd:
        p = rates ? p - (*rates)[j] * g : at::sub(p, g, lr);
        break;
      case Kind::momentum: {
        auto& m = state.first[j];
        m = first_use ? g : at::add(g, m, options_.inner_momentum);
        p = at::sub(p, m, lr);
        break;
      }
      case Kind::adam: {
        auto& m = state.first[j];
        auto& v = state.second[j];
        m = first_use ? g * (1 - beta1) : m * beta1 + g * (1 - beta1);
        v = v * beta2 + g * g * (1 - beta2);
        const double eps = options_.inner_eps;
        p = p - (m / correct1) * lr / (v / correct2 + eps * eps).sqrt();
        break;
      }
    }
  }
}

}  // namespace protean
