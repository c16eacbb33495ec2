#include "learners/meta_lstm.h"

#include <cmath>

#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

LearnerOptions options(const std::string& name, int steps, double lr) {
  LearnerOptions o;
  o.name = name;
  o.inner_steps = steps;
  o.inner_lr = lr;
  if (name == "metalstm") o.width = 5;
  return o;
}

ModelOptions perceptron() {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  return m;
}

}  // namespace

TEST_CASE("the learnt optimiser's meta-gradient equals central differences",
          "[learners]") {
  SECTION("values") {
    const auto batch = value_tasks(3, 6, 5, 13);
    check_directions(
        *make_learner(options("metalstm", 3, 0.05), perceptron(), batch.shape),
        batch);
  }
  SECTION("images") {
    const auto batch = image_tasks(2, 3, 1, 2, 16, 14);
    ModelOptions m;
    m.filters = 4;
    check_directions(
        *make_learner(options("metalstm", 2, 0.05), m, batch.shape), batch);
  }
}

TEST_CASE("an open forget gate and a fixed input gate are plain descent",
          "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 15);
  const auto maml =
      make_learner(options("maml", 3, 0.05), perceptron(), batch.shape);
  const auto learnt =
      make_learner(options("metalstm", 3, 0.05), perceptron(), batch.shape);
  const auto meta = initial_meta(*maml, 3);
  const auto& space = learnt->spaces().theta;
  auto theta =
      at::cat({meta.theta,
               at::zeros({space.size() - meta.theta.numel()}, at::kDouble)});
  const auto set = [&](const char* name, double value) {
    theta[space.parameters()[space.index(name)].offset] = value;
  };
  set("update.input_gate.bias", std::log(0.05 / 0.95));
  set("update.forget_gate.bias", 60);
  const auto a = run_gradient(*maml, batch, meta);
  const auto b = run_gradient(*learnt, batch, {theta, meta.state});
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-9, 1e-12));
  CHECK(at::allclose(a.sums.theta,
                     b.sums.theta.narrow(0, 0, meta.theta.numel()), 1e-8,
                     1e-10));
}

TEST_CASE("the learnt optimiser starts as slow descent that forgets little",
          "[learners]") {
  const LstmUpdate update(20);
  auto values = at::zeros({update.params().size()});
  update.initialise(values.data_ptr<float>(), 0.02, 3);
  InnerState state;
  for (const auto& p : update.params().parameters()) {
    auto shape = p.shape;
    shape.insert(shape.begin(), 1);
    state.learned.push_back(
        values.narrow(0, p.offset, p.size).view(shape).to(at::kDouble));
  }
  Params phi{noise({2, 4}, 1)};
  const auto before = phi[0];
  const auto slope = noise({2, 4}, 2);
  update.step(phi, {0}, {slope}, at::ones({2}, at::kDouble), state);
  const double keep = 1 / (1 + std::exp(-5.0));
  CHECK(at::allclose(phi[0], keep * before - 0.02 * slope, 0.05, 2e-3));
}

TEST_CASE("the paper's first order leaves gradients out", "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 16);
  auto o = options("metalstm", 3, 0.05);
  const auto exact = make_learner(o, perceptron(), batch.shape);
  o.second_order = false;
  const auto first = make_learner(o, perceptron(), batch.shape);
  o.checkpoint = true;
  const auto recomputed = make_learner(o, perceptron(), batch.shape);
  const auto meta = initial_meta(*exact, 3);
  const auto a = run_gradient(*exact, batch, meta);
  const auto b = run_gradient(*first, batch, meta);
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-12, 1e-12));
  CHECK((a.sums.theta - b.sums.theta).norm().item<double>() >
        1e-3 * a.sums.theta.norm().item<double>());
  CHECK(at::equal(b.sums.theta,
                  run_gradient(*recomputed, batch, meta).sums.theta));
}

TEST_CASE("settings that the learnt optimiser replaces are refused",
          "[learners]") {
  const auto batch = value_tasks(1, 4, 4, 1);
  auto o = options("metalstm", 1, 0.05);
  o.inner_optimizer = "adam";
  CHECK_THROWS_WITH(
      make_learner(o, perceptron(), batch.shape),
      contains("learner.inner_optimizer = \"adam\" does nothing with "
               "learner.name = metalstm"));
  CHECK_THROWS_WITH(
      make_learner(options("metalstm", 1, 2), perceptron(), batch.shape),
      contains("learner.inner_lr = 2; expected a value in (0, 1)"));
}
