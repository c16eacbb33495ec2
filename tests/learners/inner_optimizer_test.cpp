#include "protean/learners/inner_optimizer.h"

#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

// Value of one parameter after steps with the given gradients.
double walk(const LearnerOptions& o, double start,
            const std::vector<double>& gradients) {
  InnerOptimizer optimizer(o);
  Params phi{at::full({1, 1}, start, at::kDouble)};
  InnerState state;
  for (double g : gradients)
    optimizer.step(phi, {0}, {at::full({1, 1}, g, at::kDouble)}, {}, state);
  return phi[0].item<double>();
}

}  // namespace

TEST_CASE("inner optimisers take their textbook steps", "[learners]") {
  LearnerOptions o;
  o.inner_lr = 0.1;
  CHECK(walk(o, 1, {2, -1}) == Approx(1 - 0.1 * 2 + 0.1));

  o.inner_optimizer = "momentum";
  o.inner_momentum = 0.5;
  // m1 = 2, m2 = -1 + 1 = 0
  CHECK(walk(o, 1, {2, -1}) == Approx(1 - 0.2));

  o.inner_optimizer = "adam";
  o.inner_beta1 = 0.9;
  o.inner_beta2 = 0.999;
  o.inner_eps = 1e-8;
  double m = 0, v = 0, p = 1;
  int t = 0;
  for (double g : {2.0, -1.0, 0.5}) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    p -= 0.1 * (m / (1 - std::pow(0.9, t))) /
         std::sqrt(v / (1 - std::pow(0.999, t)) + 1e-16);
  }
  CHECK(walk(o, 1, {2, -1, 0.5}) == Approx(p));

  o.inner_optimizer = "adagrad";
  CHECK_THROWS_AS(InnerOptimizer(o), ConfigError);
}

TEST_CASE("first moments that begin anew are corrected anew", "[learners]") {
  // Second moments of 10 earlier steps, as Reptile's outlive the task.
  LearnerOptions o;
  o.inner_optimizer = "adam";
  o.inner_lr = 0.1;
  o.inner_beta1 = 0.9;
  o.inner_beta2 = 0.99;
  o.inner_eps = 0;
  const InnerOptimizer optimizer(o);
  Params phi{at::full({1, 1}, 1.0, at::kDouble)};
  InnerState state;
  state.updates = 10;
  state.second = {at::full({1, 1}, 0.4, at::kDouble)};
  const auto step = [&](double g) {
    optimizer.step(phi, {0}, {at::full({1, 1}, g, at::kDouble)}, {}, state);
    return phi[0].item<double>();
  };
  // m / (1 - 0.9) = 2 after the first gradient: the whole of it.
  double v = 0.99 * 0.4 + 0.01 * 4;
  double p = 1 - 0.1 * 2 / std::sqrt(v / (1 - std::pow(0.99, 11)));
  CHECK(step(2) == Approx(p));
  // m = 0.9 * 0.2 - 0.1 = 0.08 of 1 - 0.81.
  v = 0.99 * v + 0.01;
  p -= 0.1 * (0.08 / 0.19) / std::sqrt(v / (1 - std::pow(0.99, 12)));
  CHECK(step(-1) == Approx(p));
}
