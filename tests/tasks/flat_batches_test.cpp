#include "protean/tasks/flat_batches.h"

#include <map>
#include <set>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/data/open_dataset.h"
#include "protean/tasks/open_tasks.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"

using namespace protean;

namespace {

// Class c has c + 2 examples (c, e).
class Toy : public ClassDataset {
 public:
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 6; }
  uint32_t size(uint32_t c) const override { return c + 2; }
  std::string class_name(uint32_t c) const override { return concat("c", c); }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    REQUIRE(e < size(c));
    out[0] = static_cast<float>(c);
    out[1] = static_cast<float>(e);
  }
  std::string checksum() const override { return "toy"; }

 private:
  std::vector<int64_t> shape_{2};
};

}  // namespace

TEST_CASE("flat batches: labels are places in the list, classes are alike",
          "[tasks]") {
  const std::vector<uint32_t> classes{5, 1, 4};
  const FlatBatches source(std::make_shared<Toy>(), classes, 50, false);
  std::map<int64_t, int> count;
  std::set<std::pair<int, int>> seen;
  for (uint32_t step = 0; step < 40; ++step) {
    const auto spec = source.describe(7, {Stream::train, step, 0}, {});
    CHECK(spec == source.describe(7, {Stream::train, step, 0}, {}));
    const auto batch = stack_tasks(source, {spec});
    REQUIRE(batch.shape.ways == 3);
    REQUIRE(batch.support.x.size(1) == 0);
    REQUIRE(batch.query.x.sizes().vec() == std::vector<int64_t>{1, 50, 2});
    for (int64_t i = 0; i < 50; ++i) {
      const auto label = batch.query.y[0][i].item<int64_t>();
      const auto cls =
          static_cast<uint32_t>(batch.query.x[0][i][0].item<float>());
      CHECK(classes[static_cast<size_t>(label)] == cls);
      ++count[label];
      seen.insert({static_cast<int>(cls),
                   static_cast<int>(batch.query.x[0][i][1].item<float>())});
    }
  }
  for (int64_t k = 0; k < 3; ++k) CHECK(std::abs(count[k] - 667) < 90);
  CHECK(seen.size() == 7 + 3 + 6);  // every example of the three classes
  CHECK(source.describe(7, {Stream::train, 0, 0}, {}).examples !=
        source.describe(8, {Stream::train, 0, 0}, {}).examples);
}

TEST_CASE("flat batches of the shipped data are distorted when asked",
          "[tasks]") {
  DataOptions data;
  TaskOptions task;
  task.flat_batch = 4;
  data.augment = "affine";
  const auto plain = [&] {
    auto straight = data;
    straight.augment = "none";
    return open_tasks(straight, task);
  }();
  const auto distorted = open_tasks(data, task);
  const TaskId id{Stream::train, 3, 1};
  const auto a = stack_tasks(*plain.train, {plain.train->describe(1, id, {})});
  const auto b =
      stack_tasks(*distorted.train, {distorted.train->describe(1, id, {})});
  CHECK(at::equal(a.query.y, b.query.y));
  CHECK_FALSE(at::equal(a.query.x, b.query.x));
  CHECK(a.shape.ways > 500);
  // Evaluation is on tasks all the same.
  CHECK(plain.test->shape(plain.test->describe(1, {Stream::test, 0, 0}, {}))
            .ways == 5);
  data.rotations = "task";
  CHECK_THROWS_WITH(open_tasks(data, task),
                    contains("data.rotations = task, but task.flat_batch"));
  data = {};
  data.source = "sinusoid";
  CHECK_THROWS_WITH(open_tasks(data, task), contains("task.flat_batch = 4"));
}
