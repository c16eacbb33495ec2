#include "experiment/training_tasks.h"

#include <map>
#include <set>

#include "protean/tasks/nway_kshot.h"
#include "protean/tasks/task_batch.h"

#include "generative/pixel_learner.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Each image is a square of a level that no other one has, on 0: whatever turns
// and shears it, its middle keeps the level.
class Squares : public ClassDataset {
 public:
  explicit Squares(std::vector<uint32_t> sizes) : sizes_(std::move(sizes)) {}
  static float level(uint32_t cls, uint32_t example) {
    return static_cast<float>(10 * cls + example + 1);
  }
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(sizes_.size());
  }
  uint32_t size(uint32_t c) const override { return sizes_.at(c); }
  std::string class_name(uint32_t c) const override {
    return std::to_string(c);
  }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    for (int y = 0; y < 11; ++y)
      for (int x = 0; x < 11; ++x)
        *out++ = std::abs(x - 5) <= 3 && std::abs(y - 5) <= 3 ? level(c, e) : 0;
  }
  std::string checksum() const override { return "squares"; }

 private:
  std::vector<uint32_t> sizes_;
  std::vector<int64_t> shape_{1, 11, 11};
};

// An image of class c is near one of four corners, which its first two pixels
// say; the third says which image it is, and the fourth c, in numbers that
// would outweigh all else.
class Corners : public ClassDataset {
 public:
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 3; }
  uint32_t size(uint32_t) const override { return 12; }
  std::string class_name(uint32_t c) const override {
    return std::to_string(c);
  }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    Draws draws(3, {Stream::train, c, e}, Purpose::test);
    out[0] =
        static_cast<float>((kCorner[e] % 2 ? 5 : -5) + 0.3 * draws.normal());
    out[1] =
        static_cast<float>((kCorner[e] / 2 ? 5 : -5) + 0.3 * draws.normal());
    out[2] = static_cast<float>(12 * c + e);
    out[3] = static_cast<float>(1000 * c);
  }
  std::string checksum() const override { return "corners"; }

 private:
  // Three images at each, in no order that is one backwards too.
  static constexpr int kCorner[] = {0, 1, 1, 2, 3, 0, 2, 3, 3, 1, 0, 2};
  std::vector<int64_t> shape_{1, 2, 2};
};

// An image's code is the corner.
class CornerLearner : public PixelLearner {
 public:
  CornerLearner() : PixelLearner(2) {}
  at::Tensor embed(const Phi&, const at::Tensor& x) const override {
    return x.flatten(2).narrow(2, 0, 2);
  }
};

Experiment experiment(DatasetPtr data, std::vector<uint32_t> train,
                      const TaskOptions& task) {
  Experiment e;
  e.config.run.seed = 3;
  e.config.task = task;
  e.tasks.examples = std::move(data);
  e.tasks.splits.train = std::move(train);
  e.tasks.checksum = "own";
  return e;
}

TaskOptions counts(uint32_t ways, uint32_t shots, uint32_t queries) {
  TaskOptions task;
  task.ways = ways;
  task.shots = shots;
  task.queries = queries;
  return task;
}

// One task, its images by label, (n, values) each.
struct Drawn {
  uint32_t source = 0;
  std::vector<at::Tensor> ways;
};

Drawn draw(const Experiment& e, uint32_t index) {
  const auto& source = *e.tasks.train;
  const auto spec = source.describe(7, {Stream::train, 0, index}, {});
  const auto batch = stack_tasks(source, {spec});
  const auto x = at::cat({batch.support.x, batch.query.x}, 1)[0].flatten(1);
  const auto y = at::cat({batch.support.y, batch.query.y}, 1)[0];
  Drawn task{spec.source, {}};
  for (uint32_t way = 0; way < e.config.task.ways; ++way)
    task.ways.push_back(x.index({y == static_cast<int64_t>(way)}));
  return task;
}

}  // namespace

TEST_CASE("an augmented class is one drawing, distorted again and again",
          "[experiment]") {
  // Classes of fewer images than a task takes of each.
  auto task = counts(3, 1, 3);
  task.mix = "augmented";
  auto e =
      experiment(std::make_shared<Squares>(std::vector<uint32_t>{2, 3, 5, 2}),
                 {0, 1, 3}, task);
  mix_training_tasks(e, nullptr);
  std::set<float> expected, seen;
  for (uint32_t cls : {0u, 1u, 3u})
    for (uint32_t i = 0; i < (cls == 1 ? 3u : 2u); ++i)
      expected.insert(Squares::level(cls, i));
  int alike = 0, pairs = 0, of_one_class = 0;
  for (uint32_t i = 0; i < 50; ++i) {
    const auto drawn = draw(e, i);
    std::set<float> levels;
    std::set<int> characters;
    for (const auto& images : drawn.ways) {
      REQUIRE(images.size(0) == 4);
      const auto middle = images.select(1, 5 * 11 + 5);
      const float level = middle[0].item<float>();
      CHECK((middle == level).all().item<bool>());
      levels.insert(level);
      characters.insert(static_cast<int>(level) / 10);
      for (int64_t a = 0; a < 4; ++a)
        for (int64_t b = 0; b < a; ++b, ++pairs)
          alike += at::equal(images[a], images[b]);
    }
    // No drawing is in two classes of a task.
    CHECK(levels.size() == 3);
    of_one_class += characters.size() < 3;
    seen.insert(levels.begin(), levels.end());
  }
  CHECK(seen == expected);
  // What class a drawing is of does not count.
  CHECK(of_one_class > 0);
  // A distortion may leave a drawing as it is.
  CHECK(alike < pairs / 20);
}

TEST_CASE("a clustered class is of one cluster of codes", "[experiment]") {
  auto task = counts(2, 2, 3);
  task.mix = "real=1,clustered=3";
  auto e = experiment(std::make_shared<Corners>(), {0, 1}, task);
  e.config.generated.clusters = 2;
  e.config.generated.partitions = 6;
  NwayKshotOptions real;
  real.ways = 2, real.shots = 2, real.queries = 3;
  e.tasks.train = std::make_shared<NwayKshot>(e.tasks.examples,
                                              e.tasks.splits.train, real, "");
  auto other = e, reseeded = e;
  FrozenGenerator generator;
  generator.learner = std::make_shared<CornerLearner>();
  generator.meta = {at::zeros({3}), {}};
  mix_training_tasks(e, &generator);
  std::map<uint32_t, int> tasks;            // by source
  std::map<uint32_t, std::set<int>> apart;  // pixels that tell clusters apart
  std::map<uint32_t, std::set<float>> images;
  for (uint32_t i = 0; i < 800; ++i) {
    const auto drawn = draw(e, i);
    ++tasks[drawn.source];
    if (drawn.source == 0) continue;
    const auto both = at::stack(drawn.ways);  // (2, 5, 4)
    // Two clusters of four corners lie on two sides of one axis or the other.
    const auto side = both.narrow(2, 0, 2).sign().sum(1);  // (2, 2)
    int axis = 0;
    for (int64_t pixel = 0; pixel < 2; ++pixel) {
      const float a = side[0][pixel].item<float>();
      const float b = side[1][pixel].item<float>();
      if (std::abs(a) == 5 && b == -a) {
        ++axis;
        apart[drawn.source].insert(static_cast<int>(pixel));
      }
    }
    CHECK(axis > 0);
    const auto which = both.select(2, 2).flatten().contiguous();
    const std::set<float> own(which.data_ptr<float>(),
                              which.data_ptr<float>() + which.numel());
    CHECK(own.size() == 10);
    images[drawn.source].insert(own.begin(), own.end());
  }
  // All partitions together weigh what clustered does, each as much.
  REQUIRE(tasks.size() == 7);
  CHECK(tasks[0] == Approx(200).margin(40));
  for (uint32_t p = 1; p <= 6; ++p) {
    CHECK(tasks[p] == Approx(100).margin(35));
    // All training images, and no other.
    CHECK(images[p].size() == 24);
    CHECK(*images[p].rbegin() == 23);
  }
  // The scales of a partition choose its axis.
  CHECK(apart.size() == 6);
  std::set<std::set<int>> axes;
  for (const auto& [source, pixels] : apart) axes.insert(pixels);
  CHECK(axes == std::set<std::set<int>>{{0}, {1}});
  // Tasks depend on the partitions and on the generator's weights.
  CHECK(e.tasks.checksum != "own");
  reseeded.config.run.seed += 1;
  mix_training_tasks(reseeded, &generator);
  CHECK(reseeded.tasks.checksum != e.tasks.checksum);
  generator.meta.theta = at::ones({3});
  mix_training_tasks(other, &generator);
  CHECK(other.tasks.checksum != e.tasks.checksum);
}

TEST_CASE("what a generator makes is distorted where real tasks are",
          "[experiment]") {
  auto task = counts(3, 1, 2);
  task.mix = "generated";
  auto plain =
      experiment(std::make_shared<Squares>(std::vector<uint32_t>{2, 3, 5, 2}),
                 {0, 1, 3}, task);
  plain.config.generated.rule = "image";
  FrozenGenerator generator;
  generator.learner = std::make_shared<PixelLearner>(11);
  generator.meta = {at::zeros({3}), {}};
  auto distorted = plain;
  distorted.config.data.augment = "affine";
  mix_training_tasks(plain, &generator);
  mix_training_tasks(distorted, &generator);
  int moved = 0;
  for (uint32_t i = 0; i < 20; ++i) {
    const TaskId id{Stream::train, 0, i};
    auto spec = distorted.tasks.train->describe(7, id, {});
    const auto images = stack_tasks(*distorted.tasks.train, {spec}).support.x;
    // The same task as without, but for the seed of the distortions.
    REQUIRE(spec.latent.size() == 2);
    spec.latent.pop_back();
    CHECK((spec == plain.tasks.train->describe(7, id, {})));
    const auto squares = stack_tasks(*plain.tasks.train, {spec}).support.x;
    CHECK(at::equal(images.select(3, 5).select(3, 5),
                    squares.select(3, 5).select(3, 5)));
    moved += !at::equal(images, squares);
  }
  CHECK(moved > 15);
}
