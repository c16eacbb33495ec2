#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "learners/conjugate_gradient.h"
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

namespace {

// x after `steps` conjugate-gradient steps on diag(first, second) x = b.
at::Tensor solved(const std::vector<std::pair<double, double>>& diagonals,
                  const std::vector<std::pair<double, double>>& b, int steps) {
  const auto rows = [](const std::vector<std::pair<double, double>>& pairs) {
    std::vector<double> flat;
    for (const auto& [x, y] : pairs) flat.insert(flat.end(), {x, y});
    return at::tensor(flat, at::kDouble).view({-1, 2});
  };
  const auto a = rows(diagonals);
  return conjugate_gradient([&](const at::Tensor& p) { return a * p; }, rows(b),
                            steps);
}

void check_rows(const at::Tensor& x, const std::vector<double>& expected) {
  INFO(x);
  CHECK(at::allclose(x.flatten(), at::tensor(expected, at::kDouble), 1e-9,
                     1e-12));
}

}  // namespace

TEST_CASE("conjugate gradients stop where nothing curves upwards",
          "[learners]") {
  // Two steps solve two equations, and no further one leaves the solution.
  check_rows(solved({{2, 5}}, {{1, 1}}, 2), {0.5, 0.2});
  check_rows(solved({{2, 5}}, {{1, 1}}, 9), {0.5, 0.2});
  // Downwards, and level, along the first direction: b itself.
  check_rows(solved({{-1, -1}, {1, -1}}, {{3, 4}, {1, 1}}, 5), {3, 4, 1, 1});
  // Upwards along b = (1, 0.5): 2 - 0.25 of 1.25, a step of 5/7. There the
  // residual is (-3/7, 6/7), and the next direction (-3/7 + 36/49, 6/7 + 18/49)
  // = (15/49, 60/49) curves by 2 * 15^2 - 60^2 < 0.
  check_rows(solved({{2, -1}}, {{1, 0.5}}, 5), {5.0 / 7, 2.5 / 7});
  // Other rows go on.
  check_rows(solved({{2, -1}, {2, 5}}, {{1, 0.5}, {1, 1}}, 5),
             {5.0 / 7, 2.5 / 7, 0.5, 0.2});
}
