#include "protean/tasks/sinusoid.h"

#include <cmath>
#include <numbers>
#include <set>

#include <ATen/ops/equal.h>

#include "protean/core/error.h"
#include "protean/tasks/open_tasks.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("sinusoid points lie on their wave", "[tasks]") {
  const Sinusoid source(10, 15);
  double low_a = 9, high_a = 0, low_p = 9, high_p = 0, low_x = 9, high_x = -9;
  double sum_a = 0, sum_p = 0, sum_x = 0;
  const uint32_t kTasks = 2000;
  bool on_wave = true;
  uint64_t shared = 0;
  for (uint32_t i = 0; i < kTasks; ++i) {
    const TaskSpec spec =
        source.describe(11, {Stream::train, i / 25, i % 25}, {});
    const auto [a, p] = Sinusoid::wave(spec);
    low_a = std::min(low_a, a);
    high_a = std::max(high_a, a);
    low_p = std::min(low_p, p);
    high_p = std::max(high_p, p);
    sum_a += a;
    sum_p += p;
    const TaskBatch batch = stack_tasks(source, {spec});
    std::set<float> seen;
    for (const Part* part : {&batch.support, &batch.query}) {
      const auto* x = part->x.data_ptr<float>();
      const auto* y = part->y.data_ptr<float>();
      for (int64_t k = 0; k < part->x.size(1); ++k) {
        const double want = a * std::sin(static_cast<double>(x[k]) - p);
        on_wave &= std::abs(y[k] - want) < 1e-6;
        low_x = std::min(low_x, static_cast<double>(x[k]));
        high_x = std::max(high_x, static_cast<double>(x[k]));
        sum_x += x[k];
        shared += !seen.insert(x[k]).second;
      }
    }
  }
  CHECK(on_wave);
  CHECK(shared == 0);  // query points are other points
  CHECK(low_a >= 0.1);
  CHECK(low_a < 0.12);
  CHECK(high_a <= 5);
  CHECK(high_a > 4.98);
  CHECK(low_p >= 0);
  CHECK(high_p <= std::numbers::pi);
  CHECK(high_p > 3.13);
  CHECK(low_x >= -5);
  CHECK(high_x <= 5);
  CHECK(high_x - low_x > 9.99);
  CHECK(sum_a / kTasks == Approx(2.55).margin(0.16));  // 5 sigma
  CHECK(sum_p / kTasks == Approx(std::numbers::pi / 2).margin(0.1));
  CHECK(sum_x / (25 * kTasks) == Approx(0).margin(0.065));
}

TEST_CASE("sinusoid tasks have the shapes of regression", "[tasks]") {
  TaskOptions options;
  options.shots = 10;
  options.queries = 7;
  DataOptions data;
  data.source = "sinusoid";
  const TaskSources sources = open_tasks(data, options);
  const auto& source = sources.of(Stream::test);
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < 3; ++i)
    specs.push_back(source.describe(1, {Stream::test, 0, i}, {}));
  const TaskBatch batch = stack_tasks(source, specs);
  CHECK(batch.shape.ways == 0);
  CHECK(batch.shape.target == TargetKind::values);
  CHECK(batch.support.x.sizes() == at::IntArrayRef({3, 10, 1}));
  CHECK(batch.query.y.sizes() == at::IntArrayRef({3, 7, 1}));
  CHECK(batch.query.y.scalar_type() == at::kFloat);

  // Support does not depend on the number of query points.
  const Sinusoid more(10, 40);
  const TaskBatch same =
      stack_tasks(more, {more.describe(1, {Stream::test, 0, 1}, {})});
  CHECK(at::equal(same.support.x[0], batch.support.x[1]));
  CHECK(at::equal(same.query.x[0].slice(0, 0, 7), batch.query.x[1]));
  // Streams and seeds give other waves.
  std::set<double> waves;
  for (uint64_t seed : {1, 2})
    for (Stream stream : {Stream::train, Stream::validation, Stream::test})
      waves.insert(
          Sinusoid::wave(source.describe(seed, {stream, 0, 0}, {})).amplitude);
  CHECK(waves.size() == 6);
  CHECK_THROWS_AS(Sinusoid(0, 1), ConfigError);
  CHECK_THROWS_AS(Sinusoid(1, 0), ConfigError);
}
