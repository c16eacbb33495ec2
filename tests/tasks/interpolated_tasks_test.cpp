#include "protean/tasks/interpolated_tasks.h"

#include <bit>
#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/tasks/flat_batches.h"
#include "protean/tasks/mixed_source.h"
#include "protean/tasks/nway_kshot.h"
#include "protean/tasks/sinusoid.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"

using namespace protean;

namespace {

// 2x2 images of noise, 12 classes of 6.
class Noise : public ClassDataset {
 public:
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 12; }
  uint32_t size(uint32_t) const override { return 6; }
  std::string class_name(uint32_t c) const override { return concat("c", c); }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    Draws draws(c, {Stream::train, 0, e}, Purpose::test);
    for (int i = 0; i < 4; ++i) out[i] = static_cast<float>(draws.uniform());
  }
  std::string checksum() const override { return "noise"; }

 private:
  std::vector<int64_t> shape_{1, 2, 2};
};

const std::vector<uint32_t> kAll{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

std::shared_ptr<const TaskSource> base(uint32_t ways = 3, uint32_t shots = 2) {
  NwayKshotOptions o;
  o.ways = ways;
  o.shots = shots;
  o.queries = 3;
  return std::make_shared<NwayKshot>(std::make_shared<Noise>(), kAll, o,
                                     "train");
}

InterpolationOptions between(double low, double high, double share = 1,
                             const std::string& draw = "uniform") {
  return {share, low, high, draw};
}

std::vector<TaskSpec> describe(const TaskSource& source, uint32_t n,
                               uint32_t step = 4) {
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < n; ++i)
    specs.push_back(source.describe(9, {Stream::train, step, i}, {}));
  return specs;
}

float factor_of(const TaskSpec& spec) {
  return std::bit_cast<float>(static_cast<uint32_t>(spec.latent.at(0)));
}

// Specs number `which` of the pairs of mixed ones.
std::vector<TaskSpec> halves(const std::vector<TaskSpec>& specs, size_t which) {
  std::vector<TaskSpec> out;
  for (const auto& spec : specs) out.push_back(spec.mixed.at(which));
  return out;
}

}  // namespace

TEST_CASE("a task mixed by 0 is the first task, by 1 the second", "[tasks]") {
  const auto tasks = base();
  for (const size_t which : {0, 1}) {
    const auto at = static_cast<double>(which);
    const InterpolatedTasks source(tasks, between(at, at));
    const auto specs = describe(source, 5);
    const auto got = stack_tasks(source, specs);
    const auto want = stack_tasks(*tasks, halves(specs, which));
    CHECK(at::equal(got.support.x, want.support.x));
    CHECK(at::equal(got.support.y, want.support.y));
    CHECK(at::equal(got.query.x, want.query.x));
    CHECK(at::equal(got.query.y, want.query.y));
    CHECK_FALSE(got.support.weight.defined());
    // The first is the one that would have stood here.
    if (which == 0) CHECK((halves(specs, 0) == describe(*tasks, 5)));
  }
}

TEST_CASE("one factor mixes every example of a task, in and beyond the two",
          "[tasks]") {
  const auto tasks = base();
  const InterpolatedTasks source(tasks, between(-0.25, 1.25));
  const auto specs = describe(source, 40);
  const auto got = stack_tasks(source, specs);
  const auto a = stack_tasks(*tasks, halves(specs, 0));
  const auto b = stack_tasks(*tasks, halves(specs, 1));
  float least = 1, most = 0;
  for (size_t t = 0; t < specs.size(); ++t) {
    const float f = factor_of(specs[t]);
    least = std::min(least, f);
    most = std::max(most, f);
    const auto at = static_cast<int64_t>(t);
    CHECK(at::allclose(got.support.x[at],
                       (1 - f) * a.support.x[at] + f * b.support.x[at], 1e-6,
                       1e-6));
    CHECK(at::allclose(got.query.x[at],
                       (1 - f) * a.query.x[at] + f * b.query.x[at], 1e-6,
                       1e-6));
    CHECK(at::equal(got.support.y[at], a.support.y[at]));
    CHECK(at::equal(got.query.y[at], a.query.y[at]));
  }
  CHECK((least < 0 && most > 1));
  // What lies beyond images stays there.
  CHECK(got.support.x.min().item<float>() < 0);
  CHECK(got.support.x.max().item<float>() > 1);
}

TEST_CASE("factors have the range and the distribution asked for", "[tasks]") {
  constexpr uint32_t kTasks = 4000;
  for (const auto& [draw, variance] :
       {std::pair("uniform", 1.0 / 12), std::pair("beta", 1.0 / 20)}) {
    const InterpolatedTasks source(base(), between(0.2, 0.7, 1, draw));
    double sum = 0, squares = 0;
    for (const auto& spec : describe(source, kTasks)) {
      const double f = factor_of(spec);
      CHECK((f >= 0.2f && f <= 0.7f));
      sum += f;
      squares += f * f;
    }
    const double mean = sum / kTasks;
    CHECK(mean == Approx(0.45).margin(0.01));
    CHECK(squares / kTasks - mean * mean ==
          Approx(0.25 * variance).epsilon(0.06));
  }
}

TEST_CASE("a share of the tasks is mixed, the others are as they were",
          "[tasks]") {
  const auto tasks = base();
  const InterpolatedTasks source(tasks, between(0, 1, 0.3));
  const auto specs = describe(source, 2000), plain = describe(*tasks, 2000);
  int mixed = 0;
  for (size_t i = 0; i < specs.size(); ++i) {
    mixed += !specs[i].mixed.empty();
    if (specs[i].mixed.empty()) CHECK((specs[i] == plain[i]));
  }
  CHECK(mixed == Approx(600).margin(70));
  // Both kinds share a stack, and each is there what it is alone.
  const std::vector<TaskSpec> some(specs.begin(), specs.begin() + 12);
  const auto stack = stack_tasks(source, some);
  for (size_t i = 0; i < some.size(); ++i) {
    const auto alone = stack_tasks(source, {some[i]});
    CHECK(at::equal(alone.support.x[0],
                    stack.support.x[static_cast<int64_t>(i)]));
    CHECK(at::equal(alone.query.x[0], stack.query.x[static_cast<int64_t>(i)]));
  }
  // More of them change nothing in those that were mixed.
  const InterpolatedTasks all(tasks, between(0, 1));
  const auto every = describe(all, 2000);
  for (size_t i = 0; i < specs.size(); ++i)
    if (!specs[i].mixed.empty()) CHECK((specs[i] == every[i]));
}

TEST_CASE("partners differ from task to task and step to step", "[tasks]") {
  const InterpolatedTasks source(base(), between(0, 1));
  const auto now = halves(describe(source, 20), 1),
             later = halves(describe(source, 20, 5), 1);
  int same = 0;
  for (size_t i = 0; i < now.size(); ++i) {
    same += now[i].classes == later[i].classes;
    same += i > 0 && now[i].classes == now[i - 1].classes;
  }
  CHECK(same <= 1);
}

TEST_CASE("tasks of a mixed source are mixed across its sources", "[tasks]") {
  NwayKshotOptions o;
  o.ways = 3;
  o.shots = 2;
  o.queries = 3;
  const auto few = std::make_shared<NwayKshot>(
      std::make_shared<Noise>(), std::vector<uint32_t>{0, 1, 2}, o, "train");
  const auto tasks = std::make_shared<MixedSource>(
      std::vector<std::shared_ptr<const TaskSource>>{base(), few},
      std::vector<float>{1, 1});
  const InterpolatedTasks source(tasks, between(1, 1));
  int across = 0;
  for (const auto& spec : describe(source, 60)) {
    const auto got = stack_tasks(source, {spec});
    const auto want = stack_tasks(*tasks, {spec.mixed[1]});
    CHECK(at::equal(got.support.x, want.support.x));
    across += spec.mixed[0].source != spec.mixed[1].source;
  }
  CHECK(across == Approx(30).margin(15));
}

TEST_CASE("tasks that cannot be mixed are refused", "[tasks]") {
  const auto refuse = [](const InterpolationOptions& o) {
    return InterpolatedTasks(base(), o);
  };
  CHECK_THROWS_WITH(refuse(between(0, 1, 1.5)),
                    contains("task.interpolate = 1.5; expected a share"));
  CHECK_THROWS_AS(refuse(between(0, 1, std::nan(""))), ConfigError);
  CHECK_THROWS_WITH(refuse(between(-0.3, 1)),
                    contains("task.interpolate_low = -0.3") &&
                        contains("-0.25 <= low <= high <= 1.25"));
  CHECK_THROWS_WITH(refuse(between(0, 1.3)),
                    contains("task.interpolate_high = 1.3"));
  CHECK_THROWS_AS(refuse(between(0.6, 0.5)), ConfigError);
  CHECK_THROWS_AS(refuse(between(0, std::nan(""))), ConfigError);
  CHECK_THROWS_WITH(refuse(between(0, 1, 1, "normal")),
                    contains("task.interpolate_draw = \"normal\"; expected "
                             "one of: uniform, beta"));

  CHECK_THROWS_WITH(
      InterpolatedTasks(std::make_shared<Sinusoid>(3, 2), between(0, 1)),
      contains("have values; expected 0"));
  NwayKshotOptions unlabelled;
  unlabelled.ways = 1;
  unlabelled.shots = unlabelled.queries = 1;
  unlabelled.labels = false;
  CHECK_THROWS_WITH(
      InterpolatedTasks(std::make_shared<NwayKshot>(std::make_shared<Noise>(),
                                                    kAll, unlabelled, "train"),
                        between(0, 1)),
      contains("have no labels; expected 0"));
  CHECK_THROWS_WITH(
      InterpolatedTasks(std::make_shared<FlatBatches>(std::make_shared<Noise>(),
                                                      kAll, 5, false),
                        between(0, 1)),
      contains("have no support set; expected 0"));

  const InterpolatedTasks unequal(
      std::make_shared<MixedSource>(
          std::vector<std::shared_ptr<const TaskSource>>{base(3), base(4)},
          std::vector<float>{1, 1}),
      between(0, 1));
  CHECK_THROWS_WITH(describe(unequal, 20),
                    contains("differ in classes or examples"));
}
