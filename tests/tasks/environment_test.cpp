#include "protean/tasks/environment.h"

#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/tasks/environment_tasks.h"
#include "protean/tasks/open_tasks.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"

using namespace protean;

namespace {

DataOptions options(const std::string& source) {
  DataOptions o;
  o.source = source;
  return o;
}

// Of one task and one rollout, (1, 1, n).
at::Tensor values(std::vector<double> v) {
  return at::tensor(v, at::kDouble).view({1, 1, -1});
}

bool is(const at::Tensor& a, std::vector<double> b) {
  return at::allclose(a.flatten(), at::tensor(b, at::kDouble), 0, 1e-12);
}

}  // namespace

TEST_CASE("a point goes as far as it is told, and no faster", "[tasks]") {
  const auto env = make_environment(options("point"));
  CHECK(env->actions().size == 2);
  CHECK(!env->actions().discrete);
  CHECK(env->horizon() == 100);
  const auto goal = values({0.3, -0.4});
  const auto start = env->reset(goal);
  CHECK(is(env->observe(start), {0, 0}));
  auto next = env->step(goal, start, values({0.5, -1}), {});
  CHECK(is(next.state, {0.05, -0.1}));
  CHECK(is(next.reward, {-(0.25 * 0.25 + 0.3 * 0.3)}));
  CHECK(!next.done.item<bool>());
  next = env->step(goal, next.state, values({7, -3}), {});
  CHECK(is(next.state, {0.15, -0.2}));
  // Within 0.01 of the goal it is over, and not before.
  next = env->step(goal, values({0.25, -0.4}), values({0.39, 0}), {});
  CHECK(!next.done.item<bool>());
  next = env->step(goal, values({0.25, -0.4}), values({0.41, 0}), {});
  CHECK(next.done.item<bool>());
  CHECK(is(next.reward, {-0.009 * 0.009}));
}

TEST_CASE("a point with inertia is told how its velocity changes", "[tasks]") {
  auto o = options("point");
  o.family = "velocity";
  const auto env = make_environment(o);
  const auto wanted = values({0.5, -1});
  auto next = env->step(wanted, env->reset(wanted), values({0.5, -4}), {});
  CHECK(is(next.state, {0.1, -0.2}));
  CHECK(is(next.reward, {-(0.4 * 0.4 + 0.8 * 0.8)}));
  next = env->step(wanted, values({0.5, -0.9}), values({0, -1}), {});
  CHECK(is(next.state, {0.5, -1}));
  CHECK(is(next.reward, {0}));
  CHECK(!next.done.item<bool>());
}

TEST_CASE("an arm pays as often as its chance says", "[tasks]") {
  auto o = options("bandit");
  o.arms = 3;
  const auto env = make_environment(o);
  CHECK(env->actions().size == 3);
  CHECK(env->actions().discrete);
  const auto task = values({0.2, 0.5, 0.9});
  const auto state = env->reset(task);
  CHECK(is(env->observe(state), {1}));
  const auto pay = [&](double arm, double z) {
    const auto next = env->step(task, state, values({arm}), values({z}));
    CHECK(!next.done.item<bool>());
    return next.reward.item<double>();
  };
  // A fifth of normal numbers is below -0.8416, nine tenths below 1.2816.
  CHECK(pay(0, -0.85) == 1);
  CHECK(pay(0, -0.83) == 0);
  CHECK(pay(1, -0.01) == 1);
  CHECK(pay(1, 0.01) == 0);
  CHECK(pay(2, 1.27) == 1);
  CHECK(pay(2, 1.29) == 0);

  o.rewards = "gaussian";
  const auto noisy = make_environment(o);
  CHECK(is(noisy->step(task, state, values({1}), values({-2})).reward, {-1.5}));
}

TEST_CASE("tasks of an environment are drawn by their numbers alone",
          "[tasks]") {
  const std::string source = GENERATE("point", "bandit");
  TaskOptions task;
  task.shots = 3;
  task.queries = 2;
  const auto sources = open_tasks(options(source), task);
  REQUIRE(sources.environment);
  CHECK(sources.train_shape.support == 3);
  CHECK(sources.train_shape.query == 2);
  CHECK(sources.train_shape.target == TargetKind::none);
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < 200; ++i)
    specs.push_back(sources.train->describe(7, {Stream::train, 5, i}, {}));
  const auto batch = stack_tasks(*sources.train, specs);
  const int64_t size = sources.environment->task_size();
  CHECK(batch.support.x.sizes() == at::IntArrayRef{200, 3, size});
  CHECK(batch.query.x.sizes() == at::IntArrayRef{200, 2, size});
  // Every rollout is in the same world.
  CHECK(at::equal(batch.support.x,
                  batch.support.x.narrow(1, 0, 1).expand_as(batch.support.x)));
  CHECK(at::equal(batch.query.x,
                  batch.support.x.narrow(1, 0, 1).expand_as(batch.query.x)));
  const double low = source == "point" ? -0.5 : 0, high = low + 1;
  const auto values = batch.support.x.select(1, 0).to(at::kDouble);
  CHECK(values.min().item<double>() >= low);
  CHECK(values.max().item<double>() < high);
  // 200 uniform numbers: mean within 4 of its deviations of 0.0204.
  CHECK(((values.mean(0) - (low + high) / 2).abs() < 0.082).all().item<bool>());
  const auto again = stack_tasks(*sources.test, {specs[17]});
  CHECK(at::equal(again.support.x[0], batch.support.x[17]));
}

TEST_CASE("environments refuse what they cannot be", "[tasks]") {
  const auto message = [](DataOptions o) -> std::string {
    try {
      open_tasks(o, TaskOptions());
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  };
  auto o = options("point");
  o.horizon = 0;
  CHECK(message(o) == "data.horizon = 0; expected at least 1");
  o = options("point");
  o.family = "direction";
  CHECK(message(o) ==
        "data.family = \"direction\"; expected one of: goal, velocity");
  o = options("bandit");
  o.arms = 1;
  CHECK(message(o) == "data.arms = 1; expected at least 2");
  o = options("bandit");
  o.rewards = "poisson";
  CHECK(message(o) ==
        "data.rewards = \"poisson\"; expected one of: bernoulli, gaussian");
  CHECK_THROWS_AS(EnvironmentTasks(make_environment(options("point")), 0, 1),
                  ConfigError);
}
