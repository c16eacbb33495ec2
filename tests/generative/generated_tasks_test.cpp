#include "protean/generative/generated_tasks.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"
#include "protean/generative/analysis/clustering.h"
#include "protean/generative/generated_shots.h"
#include "protean/generative/image_tasks.h"
#include "protean/generative/latent_space.h"
#include "protean/tasks/task_batch.h"

#include "generative/image_sets.h"
#include "generative/pixel_learner.h"
#include "support/catch.h"

using namespace protean;

namespace {

struct Made {
  GenerativeLearnerPtr learner;
  std::shared_ptr<GeneratorVersions> versions;
  MetaView meta;
};

// A generator of 8x8 images; its codes matter as much as they would trained.
Made generator(double scale = 8) {
  const auto batch = image_sets(1, 2, 1, 8, 1);
  Made m;
  m.learner = generative("setvae", small_generator(), batch);
  m.meta = initial_meta(*m.learner, 3, at::kFloat);
  m.meta.theta *= scale;
  m.versions = std::make_shared<GeneratorVersions>();
  m.versions->add(0, m.meta);
  return m;
}

GeneratedTasks tasks_of(const Made& m, const std::string& rule,
                        double separability = 0) {
  GeneratedTaskOptions o;
  o.rule = rule;
  o.separability = separability;
  return {m.learner, m.versions, {3, 2, 4}, o};
}

std::vector<TaskSpec> describe(const TaskSource& source, uint32_t n,
                               uint64_t seed = 9) {
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < n; ++i)
    specs.push_back(source.describe(seed, {Stream::train, 4, i}, {}));
  return specs;
}

}  // namespace

TEST_CASE("a generated task is made alone, from its description",
          "[generative]") {
  const auto m = generator();
  const std::string rule = GENERATE("class", "n", "ro", "oc");
  INFO(rule);
  const auto source = tasks_of(m, rule, 0.9);
  const auto specs = describe(source, 3);
  const auto stack = stack_tasks(source, specs);
  CHECK(stack.support.x.sizes() == at::IntArrayRef({3, 6, 1, 8, 8}));
  CHECK(stack.query.x.sizes() == at::IntArrayRef({3, 12, 1, 8, 8}));
  CHECK(
      at::equal(stack.support.y[0], at::tensor({0, 0, 1, 1, 2, 2}, at::kLong)));
  // Binary images, different between tasks and within a class.
  CHECK(at::equal(stack.support.x, stack.support.x.round()));
  CHECK_FALSE(at::equal(stack.support.x[0], stack.support.x[1]));
  if (rule != "class")  // latents alone do little in an untrained model
    CHECK_FALSE(at::equal(stack.query.x[0][0], stack.query.x[0][1]));
  for (size_t i = 0; i < 3; ++i) {
    const auto alone = stack_tasks(tasks_of(m, rule, 0.9), {specs[i]});
    CHECK(at::equal(alone.support.x[0],
                    stack.support.x[static_cast<int64_t>(i)]));
    CHECK(at::equal(alone.query.x[0], stack.query.x[static_cast<int64_t>(i)]));
  }
  const auto other = stack_tasks(source, describe(source, 3, 10));
  CHECK_FALSE(at::equal(other.support.x, stack.support.x));
}

TEST_CASE("a description names its generator version", "[generative]") {
  auto m = generator();
  const auto source = tasks_of(m, "class");
  StreamState later;
  later.generator_version = 2;
  const auto old = source.describe(9, {Stream::train, 4, 0}, {});
  const auto spec = source.describe(9, {Stream::train, 4, 0}, later);
  CHECK(spec.generator_version == 2);
  CHECK_THROWS_WITH(stack_tasks(source, {spec}),
                    contains("generator version 2"));
  m.versions->add(2, {-m.meta.theta, m.meta.state});
  const auto a = stack_tasks(source, {old}), b = stack_tasks(source, {spec});
  CHECK_FALSE(at::equal(a.support.x, b.support.x));
  m.versions->forget_before(2);
  CHECK_THROWS_AS(stack_tasks(source, {old}), Error);
  CHECK(at::equal(stack_tasks(source, {spec}).support.x, b.support.x));
}

TEST_CASE("rejection leaves tasks that are easier to tell apart",
          "[generative]") {
  const auto m = generator();
  const auto share = [&](double separability) {
    const auto source = tasks_of(m, "ro", separability);
    const auto batch = stack_tasks(source, describe(source, 40));
    const Phi phi = m.learner->start(m.meta);
    const auto s = m.learner->embed(phi, batch.support.x).view({40, 3, 2, -1});
    const auto q = m.learner->embed(phi, batch.query.x);
    return at::cdist(q, s.mean(2))
        .argmin(-1)
        .eq(batch.query.y)
        .to(at::kDouble)
        .mean()
        .item<double>();
  };
  const double without = share(0), with = share(0.9);
  CHECK(without < 0.9);
  CHECK(with > without + 0.02);
}

namespace {

// Whose pixels are codes plus noise, and to which light images look real.
struct JudgedPixels : PixelLearner {
  using PixelLearner::PixelLearner;
  bool judges() const override { return true; }
  at::Tensor realness(const MetaView&, const at::Tensor& code,
                      const at::Tensor& images) const override {
    CHECK(code.size(1) == 3 * 6);  // as many as the task has
    return images.flatten(2).mean(2);
  }
  Phi start(const MetaView&) const override {
    Phi phi;
    phi.params = {at::zeros({1, 1})};
    return phi;
  }
};

}  // namespace

TEST_CASE("of several tries the one that looks most real stays",
          "[generative]") {
  Made m;
  m.learner = std::make_shared<JudgedPixels>(4);
  m.versions = std::make_shared<GeneratorVersions>();
  m.versions->add(0, {});
  GeneratedTaskOptions o;
  o.separability = 0;
  const auto mean_light = [&](int64_t tries) {
    o.tries = tries;
    const GeneratedTasks source(m.learner, m.versions, {3, 2, 4}, o);
    const auto batch = stack_tasks(source, describe(source, 200));
    return at::cat({batch.support.x, batch.query.x}, 1).mean().item<double>();
  };
  // Sixteen pixels of deviation 1: the mean's is 1/4, and the largest of four
  // normal numbers lies 1.03 deviations above their mean.
  CHECK(mean_light(4) - mean_light(1) == Approx(1.03 / 4).epsilon(0.1));
  o.tries = 0;
  CHECK_THROWS_WITH(GeneratedTasks(m.learner, m.versions, {3, 2, 4}, o),
                    contains("generator.tries = 0; expected 1 to 64"));
  o.tries = 2;
  CHECK_THROWS_WITH(
      GeneratedTasks(generator().learner, m.versions, {3, 2, 4}, o),
      contains("generator.tries = 2 chooses by a discriminator, and "
               "learner.name = setvae has none"));
}

namespace {

// Whose images are their codes, without noise.
struct BareCodes : PixelLearner {
  using PixelLearner::PixelLearner;
  at::Tensor decode(const Phi&, const at::Tensor& code,
                    const at::Tensor&) const override {
    return code.reshape(
        {code.size(0), code.size(1), 1, image_shape()[1], image_shape()[2]});
  }
  Phi start(const MetaView&) const override {
    Phi phi;
    phi.params = {at::zeros({1, 1})};
    return phi;
  }
};

constexpr int64_t kWays = 4, kEach = 6, kSide = 3;

// Codes of n tasks by a rule, (n, ways, each, side^2).
at::Tensor codes_by(const std::string& rule, double spread, uint32_t n,
                    double separation = 0) {
  const auto versions = std::make_shared<GeneratorVersions>();
  versions->add(0, {});
  GeneratedTaskOptions o;
  o.rule = rule;
  o.spread = spread;
  o.separability = 0;
  o.separation = separation;
  const GeneratedTasks source(std::make_shared<BareCodes>(kSide), versions,
                              {kWays, 2, kEach - 2}, o);
  const auto batch = stack_tasks(source, describe(source, n));
  const auto of = [&](const Part& part, int64_t each) {
    return part.x.view({n, kWays, each, kSide * kSide});
  };
  return at::cat({of(batch.support, 2), of(batch.query, kEach - 2)}, 2)
      .to(at::kDouble);
}

}  // namespace

TEST_CASE("codes by LASIUM's rules lie where the paper puts them",
          "[generative]") {
  const uint32_t n = 100;
  const double s = 0.4;
  const auto anchor = codes_by("class", s, n);
  for (int64_t i = 1; i < kEach; ++i)
    CHECK(at::equal(anchor.select(2, i), anchor.select(2, 0)));
  const auto close = [](const at::Tensor& a, const at::Tensor& b) {
    return at::allclose(a, b, 1e-4, 1e-5);
  };
  // n: noise of deviation s around the anchor, back at the prior's deviation.
  const auto near = codes_by("n", s, n);
  CHECK(near.var().item<double>() == Approx(1).epsilon(0.05));
  CHECK((near * anchor).mean().item<double>() ==
        Approx(1 / std::sqrt(1 + s * s)).epsilon(0.05));
  const auto noise = (near * std::sqrt(1 + s * s) - anchor) / s;
  CHECK(noise.var().item<double>() == Approx(1).epsilon(0.05));
  // ro: so far on the way from the anchor to that noise.
  CHECK(close(codes_by("ro", 0, n), anchor));
  CHECK(close(codes_by("ro", 1, n), noise));
  CHECK(close(codes_by("ro", 0.25, n), slerp(anchor, noise, 0.25)));
  // oc: towards the anchors of the other classes, in turn; of five the last
  // goes towards noise.
  const auto between = codes_by("oc", 0.25, n);
  for (int64_t i = 0; i < kEach; ++i) {
    const auto own = anchor.select(2, i);
    const auto to =
        i % 5 == 4 ? noise.select(2, i) : own.roll(1 + i % (kWays - 1), 1);
    CHECK(close(between.select(2, i), slerp(own, to, 0.25)));
  }
}

TEST_CASE("separated classes lie as far apart as few are by chance",
          "[generative]") {
  const auto distances = [](double separation) {
    const auto anchor = codes_by("class", 0, 200, separation).select(2, 0);
    std::vector<double> all;
    for (int64_t t = 0; t < anchor.size(0); ++t)
      all.push_back(least_squared_distance(anchor[t]));
    std::sort(all.begin(), all.end());
    return all;
  };
  const auto by_chance = distances(0), separated = distances(0.8);
  // The least of all is above the quantile, which is one of samples.
  CHECK(separated.front() > 0.85 * by_chance[160]);
  CHECK(separated.front() < 1.15 * by_chance[160]);
}

TEST_CASE("generated shots are other images than generated queries",
          "[generative]") {
  const auto learner = std::make_shared<PixelLearner>(4);
  const auto versions = std::make_shared<GeneratorVersions>();
  versions->add(0, {});
  const auto data = std::make_shared<PixelClasses>(3, 4, 4);
  // One real image each; as many queries are made of it as shots are.
  const auto base = std::make_shared<ImageTasks>(learner, versions, data,
                                                 std::vector<uint32_t>{0, 1, 2},
                                                 TaskCounts{3, 1, 5});
  const GeneratedShots more(base, learner, versions, 5);
  const auto batch = stack_tasks(more, describe(more, 4));
  const auto support = batch.support.x.flatten(2);  // (4, 18, 16)
  const auto query = batch.query.x.flatten(2);      // (4, 15, 16)
  CHECK(at::cdist(support, query).min().item<double>() > 0.1);
}

TEST_CASE("generated shots follow the real ones of their class",
          "[generative]") {
  const auto m = generator();
  const auto base = std::make_shared<GeneratedTasks>(tasks_of(m, "n"));
  const GeneratedShots more(base, m.learner, m.versions, 3);
  const auto plain = stack_tasks(*base, describe(*base, 2));
  const auto batch = stack_tasks(more, describe(more, 2));
  REQUIRE(batch.support.x.size(1) == 3 * (2 + 3));
  CHECK(at::equal(batch.query.x, plain.query.x));
  CHECK(at::equal(batch.query.y, plain.query.y));
  CHECK(at::equal(batch.support.y[0], at::arange(3).repeat_interleave(5)));
  for (int64_t way = 0; way < 3; ++way)
    CHECK(at::equal(batch.support.x.narrow(1, 5 * way, 2),
                    plain.support.x.narrow(1, 2 * way, 2)));
  // Alone they are the same.
  const auto alone = stack_tasks(more, {describe(more, 2)[1]});
  CHECK(at::equal(alone.support.x[0], batch.support.x[1]));
}

namespace {

// Image `example` of class `cls` is all paper but for one pixel.
class Dots : public ClassDataset {
 public:
  explicit Dots(int64_t side = 8) : shape_{1, side, side} {}
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 4; }
  uint32_t size(uint32_t) const override { return 5; }
  std::string class_name(uint32_t cls) const override {
    return std::to_string(cls);
  }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t cls, uint32_t example, float* out) const override {
    std::fill_n(out, shape_[1] * shape_[2], 0.0f);
    out[5 * cls + example] = 1;
  }
  std::string checksum() const override { return "dots"; }

 private:
  std::vector<int64_t> shape_;
};

}  // namespace

TEST_CASE("tasks from single images begin with them", "[generative]") {
  const auto m = generator();
  const ImageTasks source(m.learner, m.versions, std::make_shared<Dots>(),
                          {1, 3}, {3, 2, 4});
  const auto specs = describe(source, 4);
  const auto stack = stack_tasks(source, specs);
  REQUIRE(stack.support.x.sizes() == at::IntArrayRef({4, 6, 1, 8, 8}));
  REQUIRE(stack.query.x.sizes() == at::IntArrayRef({4, 12, 1, 8, 8}));
  for (int64_t t = 0; t < 4; ++t) {
    const auto& spec = specs[static_cast<size_t>(t)];
    for (int64_t way = 0; way < 3; ++way) {
      const auto at_way = static_cast<size_t>(way);
      CHECK((spec.classes[at_way] == 1 || spec.classes[at_way] == 3));
      const auto image = stack.support.x[t][2 * way].flatten();
      CHECK(image.argmax().item<int64_t>() ==
            5 * spec.classes[at_way] + spec.examples[at_way]);
      CHECK(image.sum().item<float>() == 1);
      CHECK(stack.query.y[t][4 * way].item<int64_t>() == way);
    }
    // Alone as in a stack.
    const auto alone = stack_tasks(source, {spec});
    CHECK(at::equal(alone.support.x[0], stack.support.x[t]));
    CHECK(at::equal(alone.query.x[0], stack.query.x[t]));
  }
  CHECK_FALSE(at::equal(stack.query.x[0], stack.query.x[1]));
  CHECK_THROWS_WITH(ImageTasks(m.learner, m.versions, std::make_shared<Dots>(),
                               {0}, {6, 1, 1}),
                    contains("task.ways = 6") && contains("5 images"));
  CHECK_THROWS_WITH(ImageTasks(m.learner, m.versions, std::make_shared<Dots>(9),
                               {0}, {2, 1, 1}),
                    contains("makes other images"));
}

TEST_CASE("what generated tasks cannot be made by is refused", "[generative]") {
  const auto m = generator();
  CHECK_THROWS_WITH(tasks_of(m, "rq"), contains("generator.rule = \"rq\"") &&
                                           contains("class, n, ro, oc"));
  CHECK_THROWS_WITH(tasks_of(m, "ro", 2),
                    contains("generator.separability = 2"));
}

TEST_CASE("slerp keeps length where a straight line shortens", "[generative]") {
  const auto a = noise({50, 64}, 1), b = noise({50, 64}, 2);
  CHECK(at::allclose(slerp(a, b, 0.0), a));
  CHECK(at::allclose(slerp(a, b, 1.0), b));
  const auto middle = slerp(a, b, 0.5).norm(2, {1}).mean().item<double>();
  CHECK(middle == Approx(8).margin(0.15));  // sqrt(64)
  CHECK(((a + b) / 2).norm(2, {1}).mean().item<double>() < 6);
  // On the plane, a quarter of a right angle; extrapolation goes on turning.
  const auto x = at::tensor({1.0, 0.0}), y = at::tensor({0.0, 1.0});
  CHECK(slerp(x, y, 1.0 / 3)[1].item<double>() == Approx(0.5));
  CHECK(slerp(x, y, 4.0 / 3)[0].item<double>() == Approx(-0.5));
}

TEST_CASE("k-means finds groups that are there", "[generative]") {
  // Five tight groups of 40.
  const auto centres = 10 * noise({5, 6}, 1);
  const auto labels = at::arange(5).repeat_interleave(40);
  const auto x = centres.index_select(0, labels) + noise({200, 6}, 2);
  double best = 0;
  for (const auto& groups : random_partitions(x, 5, 6, 20, 3)) {
    REQUIRE(groups.sizes() == at::IntArrayRef({200}));
    best = std::max(best, agreement(groups, labels).mutual_information);
  }
  CHECK(best > 0.9);
  CHECK(at::equal(k_means(x, 7, 20, 4), k_means(x, 7, 20, 4)));
  CHECK_THROWS_AS(k_means(x, 201, 5, 0), Error);
}

TEST_CASE("purity, mutual information and adjusted Rand index",
          "[generative]") {
  const auto labels = at::tensor({0, 0, 1, 1}, at::kLong);
  const auto same = agreement(at::tensor({1, 1, 0, 0}, at::kLong), labels);
  CHECK(same.purity == Approx(1));
  CHECK(same.mutual_information == Approx(1));
  CHECK(same.rand_index == Approx(1));
  const auto crossed = agreement(at::tensor({0, 1, 0, 1}, at::kLong), labels);
  CHECK(crossed.purity == Approx(0.5));
  CHECK(crossed.mutual_information == Approx(0).margin(1e-12));
  // Of six pairs groups and labels join two each, none in common; 2 / 3 by
  // chance: (0 - 2/3) / (2 - 2/3).
  CHECK(crossed.rand_index == Approx(-0.5));
  // One pair of three kept together: (1 - 1/3) / (3/2 - 1/3).
  const auto split = agreement(at::tensor({0, 0, 1, 2}, at::kLong), labels);
  CHECK(split.rand_index == Approx(4.0 / 7));
  const auto one = at::zeros({4}, at::kLong);
  CHECK(agreement(one, labels).rand_index == Approx(0).margin(1e-12));
  CHECK(agreement(one, one).rand_index == Approx(1));
}
