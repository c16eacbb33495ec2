#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

LearnerPtr cavia(const TaskBatch& batch, int steps, bool second_order = true,
                 int64_t context = 3) {
  LearnerOptions o;
  o.name = "cavia";
  o.inner_steps = steps;
  o.inner_lr = 0.5;
  o.second_order = second_order;
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  m.context = context;
  return make_learner(o, m, batch.shape);
}

}  // namespace

TEST_CASE("CAVIA's meta-gradient equals central differences", "[learners]") {
  const int steps = GENERATE(1, 3);
  INFO("inner steps " << steps);
  SECTION("values") {
    const auto batch = value_tasks(3, 6, 5, 13);
    check_directions(*cavia(batch, steps), batch);
  }
  SECTION("classes") {
    const auto batch = image_tasks(2, 3, 1, 2, 4, 14);
    check_directions(*cavia(batch, steps), batch);
  }
}

TEST_CASE("CAVIA modulates convolutional networks", "[learners]") {
  const std::string name = GENERATE("conv4", "resnet12");
  INFO(name);
  const auto batch = image_tasks(2, 3, 1, 2, 16, 15);
  LearnerOptions o;
  o.name = "cavia";
  o.inner_steps = 2;
  o.inner_lr = 0.5;
  ModelOptions m;
  m.name = name;
  m.filters = 2;
  m.context = 3;
  const auto learner = make_learner(o, m, batch.shape);
  check_directions(*learner, batch);
  const auto meta = initial_meta(*learner, 3);
  auto sum = at::zeros_like(meta.theta);
  for (int64_t t = 0; t < 2; ++t)
    sum += run_gradient(*learner, some_tasks(batch, t, 1), meta).sums.theta;
  CHECK((sum - run_gradient(*learner, batch, meta).sums.theta)
            .abs()
            .max()
            .item<double>() < 1e-10);
}

TEST_CASE("CAVIA adapts the context of each task alone", "[learners]") {
  const auto batch = value_tasks(4, 6, 5, 23);
  const auto learner = cavia(batch, 2);
  const auto meta = initial_meta(*learner, 7);
  std::vector<at::Tensor> contexts, losses;
  learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    contexts.push_back(phi.params.back().detach().clone());
    losses.push_back((learner->predict(phi, batch.support) - batch.support.y)
                         .square()
                         .mean({1, 2}));
    CHECK(phi.params[0].size(0) == 1);  // theta is nobody's own
    CHECK(k < 3);
  });
  REQUIRE(contexts.size() == 3);
  CHECK(contexts[0].abs().max().item<double>() == 0);
  CHECK(at::all(losses[1] < losses[0]).item<bool>());

  // One task alone gets the same context, and its gradient is its own part.
  auto theta = at::zeros_like(meta.theta);
  for (int64_t t = 0; t < 4; ++t) {
    const auto one = some_tasks(batch, t, 1);
    learner->adapt(one, meta, [&](int k, const Phi& phi) {
      CHECK(at::allclose(phi.params.back(), contexts[k].narrow(0, t, 1), 1e-12,
                         1e-12));
    });
    theta += run_gradient(*learner, one, meta).sums.theta;
  }
  const auto together = run_gradient(*learner, batch, meta);
  CHECK((theta - together.sums.theta).abs().max().item<double>() < 1e-10);
}

TEST_CASE("CAVIA's first order differs from exact", "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 33);
  const auto exact = cavia(batch, 2), first = cavia(batch, 2, false);
  const auto meta = initial_meta(*exact, 5);
  const auto a = run_gradient(*exact, batch, meta);
  const auto b = run_gradient(*first, batch, meta);
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-12, 1e-12));
  CHECK((a.sums.theta - b.sums.theta).norm().item<double>() >
        0.01 * a.sums.theta.norm().item<double>());
}

TEST_CASE("CAVIA without context values is refused", "[learners]") {
  const auto batch = value_tasks(1, 4, 4, 1);
  CHECK_THROWS_AS(cavia(batch, 1, true, 0), ConfigError);
}
