#include "protean/generative/generated_class.h"

#include "protean/core/error.h"
#include "protean/generative/generated_shots.h"
#include "protean/learners/make_learner.h"
#include "protean/tasks/interpolated_tasks.h"
#include "protean/tasks/task_batch.h"

#include "generative/image_sets.h"
#include "support/catch.h"

using namespace protean;

namespace {

// A generator of 16x16 images and 3-way 2-shot tasks with 4 queries.
struct Made {
  GenerativeLearnerPtr learner;
  std::shared_ptr<GeneratorVersions> versions;
  std::shared_ptr<const TaskSource> tasks;
};

Made made() {
  const auto batch = image_sets(1, 2, 1, 16, 1);
  Made m;
  m.learner = generative("setvae", small_generator(), batch);
  auto meta = initial_meta(*m.learner, 3, at::kFloat);
  meta.theta *= 8;
  m.versions = std::make_shared<GeneratorVersions>();
  m.versions->add(0, meta);
  GeneratedTaskOptions o;
  o.rule = "n";
  o.separability = 0;
  m.tasks = std::make_shared<GeneratedTasks>(m.learner, m.versions,
                                             TaskCounts{3, 2, 4}, o);
  return m;
}

TaskOptions options(uint32_t shots, uint32_t queries, double weight = 1) {
  TaskOptions o;
  o.generated_as = "class";
  o.generated_shots = shots;
  o.generated_queries = queries;
  o.generated_weight = weight;
  return o;
}

GeneratedClass with_class(const Made& m, const TaskOptions& o) {
  return {m.tasks, m.learner, m.versions, o};
}

std::vector<TaskSpec> describe(const TaskSource& source, uint32_t n) {
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < n; ++i)
    specs.push_back(source.describe(9, {Stream::train, 4, i}, {}));
  return specs;
}

}  // namespace

TEST_CASE("generated images are a class of their own behind the real ones",
          "[generative]") {
  const auto m = made();
  const auto source = with_class(m, options(2, 1));
  const auto plain = stack_tasks(*m.tasks, describe(*m.tasks, 2));
  const auto batch = stack_tasks(source, describe(source, 2));
  CHECK(batch.shape.ways == 4);
  REQUIRE(batch.support.x.size(1) == 6 + 3 * 2);
  REQUIRE(batch.query.x.size(1) == 12 + 3 * 1);
  CHECK(at::equal(batch.support.x.narrow(1, 0, 6), plain.support.x));
  CHECK(at::equal(batch.support.y.narrow(1, 0, 6), plain.support.y));
  CHECK(at::equal(batch.query.x.narrow(1, 0, 12), plain.query.x));
  CHECK(at::equal(batch.query.y.narrow(1, 0, 12), plain.query.y));
  CHECK(batch.support.y.narrow(1, 6, 6).eq(3).all().item<bool>());
  CHECK(batch.query.y.narrow(1, 12, 3).eq(3).all().item<bool>());
  CHECK_FALSE(batch.support.weight.defined());

  // What is made of each class are the images that more shots of it would be.
  const GeneratedShots shots(m.tasks, m.learner, m.versions, 2);
  const auto more = stack_tasks(shots, describe(shots, 2));
  for (int64_t way = 0; way < 3; ++way)
    CHECK(at::equal(batch.support.x.narrow(1, 6 + 2 * way, 2),
                    more.support.x.narrow(1, 4 * way + 2, 2)));
  // They do not depend on queries, which are made of every class too.
  const auto without = with_class(m, options(2, 0));
  const auto less = stack_tasks(without, describe(without, 2));
  CHECK(at::equal(less.support.x, batch.support.x));
  CHECK(at::equal(less.query.x, plain.query.x));
  CHECK_FALSE(at::equal(batch.query.x.narrow(1, 12, 1),
                        batch.query.x.narrow(1, 13, 1)));
  // Alone they are the same.
  const auto alone = stack_tasks(source, {describe(source, 2)[1]});
  CHECK(at::equal(alone.support.x[0], batch.support.x[1]));
  CHECK(at::equal(alone.query.x[0], batch.query.x[1]));
}

TEST_CASE("generated images weigh what they are said to", "[generative]") {
  const auto m = made();
  const auto source = with_class(m, options(1, 1, 0.25));
  const auto batch = stack_tasks(source, describe(source, 2));
  CHECK(at::equal(batch.support.weight[1],
                  at::cat({at::ones({6}), at::full({3}, 0.25)})));
  CHECK_FALSE(batch.query.weight.defined());
  const GeneratedShots shots(m.tasks, m.learner, m.versions, 2, 0.5);
  const auto more = stack_tasks(shots, describe(shots, 1));
  CHECK(at::equal(more.support.weight[0],
                  at::tensor({1.0f, 1.0f, 0.5f, 0.5f}).repeat({3})));
  // Mixing with another such task leaves weights and the extra class alone.
  InterpolationOptions half;
  half.share = 1;
  half.low = half.high = 0.5;
  const InterpolatedTasks mixed(std::make_shared<GeneratedClass>(source), half);
  const auto between = stack_tasks(mixed, describe(mixed, 2));
  CHECK(at::equal(between.support.weight, batch.support.weight));
  CHECK(at::equal(between.support.y, batch.support.y));
  CHECK_FALSE(at::equal(between.support.x, batch.support.x));
}

TEST_CASE("a head with one class more evaluates as if it had none",
          "[generative]") {
  const auto m = made();
  const auto shape = m.tasks->shape(describe(*m.tasks, 1)[0]);
  const auto o = options(2, 1);
  LearnerOptions maml;
  maml.name = "maml";
  maml.inner_steps = 2;
  maml.inner_lr = 0.1;
  ModelOptions model;
  model.filters = 4;
  const auto plain = make_learner(maml, model, shape);
  const auto more =
      make_learner(maml, model, GeneratedClass::with_class(shape, o));
  const auto big = initial_meta(*more, 5);
  auto small = initial_meta(*plain, 6);
  // The same network less the last output.
  for (size_t i = 0; i < plain->spaces().theta.count(); ++i) {
    const auto& to = plain->spaces().theta.parameters()[i];
    const auto& from = more->spaces().theta.parameters()[i];
    small.theta.narrow(0, to.offset, to.size)
        .copy_(big.theta.narrow(0, from.offset, to.size));
  }
  const auto evaluated =
      to(stack_tasks(*m.tasks, describe(*m.tasks, 2)), at::kCPU, at::kDouble);
  std::vector<at::Tensor> want;
  plain->adapt(evaluated, small, [&](int, const Phi& phi) {
    want.push_back(plain->predict(phi, evaluated.query));
  });
  more->adapt(evaluated, big, [&](int k, const Phi& phi) {
    const auto got = more->predict(phi, evaluated.query);
    REQUIRE(got.size(-1) == 3);
    CHECK(at::allclose(got, want.at(static_cast<size_t>(k)), 1e-9, 1e-10));
  });

  // In training all of its outputs are there, and the last one learns.
  const auto source = with_class(m, o);
  const auto batch =
      to(stack_tasks(source, describe(source, 2)), at::kCPU, at::kDouble);
  const auto g = run_gradient(*more, batch, big).sums.theta;
  const auto& head = more->spaces().theta.parameters().back();
  REQUIRE(head.size == 4);
  CHECK(std::abs(g[head.offset + 3].item<double>()) > 1e-6);
}

TEST_CASE("a generator of other images makes no class", "[generative]") {
  const auto m = made();
  const auto other =
      generative("setvae", small_generator(), image_sets(1, 2, 1, 8, 1));
  CHECK_THROWS_WITH(
      GeneratedClass(m.tasks, other, m.versions, options(1, 0)),
      contains("task.generated_shots: the generator makes other images"));
}
