#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

ModelOptions conv() {
  ModelOptions m;
  m.filters = 4;
  return m;
}

LearnerOptions options(const std::string& name, int steps = 3) {
  LearnerOptions o;
  o.name = name;
  o.inner_steps = steps;
  o.inner_lr = 0.125;  // the same in float32, as learnt rates are
  if (name == "maml") o.adapt_norm = false;
  return o;
}

at::Tensor gradient(const LearnerOptions& o, const TaskBatch& batch) {
  const auto learner = make_learner(o, conv(), batch.shape);
  return run_gradient(*learner, batch, initial_meta(*learner, 3)).sums.theta;
}

}  // namespace

TEST_CASE("MAML++'s meta-gradient equals central differences", "[learners]") {
  const auto batch = image_tasks(2, 3, 1, 2, 16, 11);
  const auto learner = make_learner(options("mamlpp"), conv(), batch.shape);
  CHECK(learner->spaces().theta.parameters()[1].shape ==
        std::vector<int64_t>{3, 4});  // scale of block 1, by step
  check_directions(*learner, batch);
}

TEST_CASE("MAML++ with equal steps is MAML with its norms outside",
          "[learners]") {
  const auto batch = image_tasks(2, 3, 1, 2, 16, 12);
  const auto maml = make_learner(options("maml"), conv(), batch.shape);
  const auto plus = make_learner(options("mamlpp"), conv(), batch.shape);
  const auto meta = initial_meta(*maml, 3), meta_plus = initial_meta(*plus, 3);
  const auto a = run_gradient(*maml, batch, meta);
  const auto b = run_gradient(*plus, batch, meta_plus);
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-12, 1e-12));
  // The gradient of a norm is the sum of its steps'.
  const auto& one = maml->spaces().theta.parameters();
  const auto& many = plus->spaces().theta.parameters();
  for (size_t i = 0; i < one.size(); ++i) {
    const auto whole = a.sums.theta.narrow(0, one[i].offset, one[i].size);
    const auto parts = b.sums.theta.narrow(0, many[i].offset, many[i].size);
    CHECK(
        at::allclose(whole, parts.view({-1, one[i].size}).sum(0), 1e-9, 1e-12));
  }
  // Evaluation takes the same path, and goes on beyond the trained steps.
  auto o = options("mamlpp");
  o.eval_steps = 5;
  const auto longer = make_learner(o, conv(), batch.shape);
  int visits = 0;
  longer->adapt(batch, meta_plus, [&](int k, const Phi& phi) {
    ++visits;
    if (k != 3) return;
    const auto p = longer->predict(phi, batch.query).log_softmax(-1);
    const auto loss =
        -p.gather(-1, batch.query.y.unsqueeze(-1)).squeeze(-1).mean(1);
    CHECK(at::allclose(loss, b.losses.loss, 1e-12, 1e-12));
  });
  CHECK(visits == 6);
}

TEST_CASE("the multi-step loss weighs every step, less and less",
          "[learners]") {
  auto batch = image_tasks(2, 3, 1, 2, 16, 13);
  std::vector<at::Tensor> after;  // gradient of the loss after k steps
  for (int k : {1, 2, 3}) after.push_back(gradient(options("maml", k), batch));
  auto o = options("maml");
  o.multi_loss_steps = 100;
  const auto expect = [&](uint32_t step, double early) {
    for (auto& id : batch.ids) id.step = step;
    const auto want =
        early * (after[0] + after[1]) + (1 - 2 * early) * after[2];
    CHECK(at::allclose(gradient(o, batch), want, 1e-9, 1e-12));
  };
  expect(0, 1.0 / 3);
  expect(50, 1.0 / 6);
  expect(99, 0.01);  // 0.03 / 3 at least
  expect(100, 0);
}

TEST_CASE("what MAML++ cannot learn rates of is refused", "[learners]") {
  const auto batch = image_tasks(1, 3, 1, 1, 16, 1);
  auto o = options("mamlpp");
  o.inner_optimizer = "momentum";
  CHECK_THROWS_WITH(make_learner(o, conv(), batch.shape),
                    contains("learner.inner_optimizer = \"momentum\" does "
                             "nothing with learner.name = mamlpp"));
  o = {};
  o.name = "protonet";
  o.multi_loss_steps = 5;
  CHECK_THROWS_WITH(make_learner(o, conv(), batch.shape),
                    contains("learner.multi_loss_steps = 5"));
}
