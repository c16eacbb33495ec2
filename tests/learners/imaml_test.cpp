#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

ModelOptions perceptron() {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "8,6";
  m.init = "torch";
  return m;
}

// Enough steps to arrive: the proximal term alone makes every step shrink the
// distance by a factor of 0.6. It is strong, because there is a minimum to
// arrive at only while no ReLU switches on the way.
LearnerOptions options(const std::string& name, const std::string& adapt) {
  LearnerOptions o;
  o.name = name;
  o.inner_steps = 100;
  o.inner_lr = 0.02;
  o.proximal = 20;
  o.adapt = adapt;
  if (name == "imaml") o.cg_steps = 100;
  return o;
}

at::Tensor gradient(const LearnerOptions& o, const TaskBatch& batch) {
  const auto learner = make_learner(o, perceptron(), batch.shape);
  auto meta = initial_meta(*learner, 3);
  return run_gradient(*learner, batch, meta).sums.theta;
}

}  // namespace

TEST_CASE("iMAML's gradient is that of a long unroll", "[learners]") {
  const std::string adapt = GENERATE("all", "head", "body");
  INFO("adapts " << adapt);
  const auto batch = value_tasks(3, 6, 5, 13);
  const auto implicit = gradient(options("imaml", adapt), batch);
  const auto unrolled = gradient(options("maml", adapt), batch);
  CHECK((implicit - unrolled).norm().item<double>() <
        1e-6 * unrolled.norm().item<double>());
  // And not simply the first-order one.
  auto o = options("fomaml", adapt);
  CHECK((implicit - gradient(o, batch)).norm().item<double>() >
        0.01 * unrolled.norm().item<double>());
}

TEST_CASE("iMAML's gradient equals central differences", "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 14);
  check_directions(
      *make_learner(options("imaml", "all"), perceptron(), batch.shape), batch);
}

TEST_CASE("few conjugate-gradient steps come close", "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 15);
  auto o = options("imaml", "all");
  const auto solved = gradient(o, batch);
  double last = solved.norm().item<double>();
  for (int steps : {1, 3, 6}) {
    o.cg_steps = steps;
    const double off = (gradient(o, batch) - solved).norm().item<double>();
    CHECK(off < last);
    last = off;
  }
  CHECK(last < 1e-2 * solved.norm().item<double>());
}

TEST_CASE("iMAML on images, and a stack of its tasks", "[learners]") {
  const auto batch = image_tasks(2, 3, 1, 2, 16, 16);
  LearnerOptions o;
  o.name = "imaml";
  o.inner_steps = 5;
  o.inner_lr = 0.1;
  o.proximal = 2;
  ModelOptions m;
  m.filters = 4;
  const auto learner = make_learner(o, m, batch.shape);
  const auto meta = initial_meta(*learner, 3);
  const auto both = run_gradient(*learner, batch, meta).sums.theta;
  auto sum = at::zeros_like(both);
  for (int64_t t = 0; t < 2; ++t)
    sum += run_gradient(*learner, some_tasks(batch, t, 1), meta).sums.theta;
  CHECK((sum - both).abs().max().item<double>() < 1e-10);
}

TEST_CASE("iMAML without a proximal term is refused", "[learners]") {
  const auto batch = value_tasks(1, 4, 4, 1);
  auto o = options("imaml", "all");
  o.proximal = 0;
  CHECK_THROWS_WITH(make_learner(o, perceptron(), batch.shape),
                    contains("learner.proximal = 0; expected a value above 0"));
  o = options("imaml", "all");
  o.second_order = false;
  CHECK_THROWS_WITH(make_learner(o, perceptron(), batch.shape),
                    contains("learner.second_order"));
  o = options("maml", "all");
  o.cg_steps = 3;
  CHECK_THROWS_WITH(make_learner(o, perceptron(), batch.shape),
                    contains("learner.cg_steps = 3"));
}
