#include "protean/tasks/group_tasks.h"

#include <set>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"

using namespace protean;

namespace {

// 4 groups of 12 examples; x = (group, example), labels example % 3, values or
// labels (example, example + 1).
class Toy : public LabelledDataset {
 public:
  Toy(TargetKind target, int64_t size) : target_(target), size_(size) {}
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 4; }
  uint32_t size(uint32_t) const override { return 12; }
  std::string class_name(uint32_t c) const override { return concat("g", c); }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    out[0] = static_cast<float>(c);
    out[1] = static_cast<float>(e);
  }
  std::string checksum() const override { return "toy"; }
  TargetKind target() const override { return target_; }
  int64_t target_size() const override { return size_; }
  uint32_t labels() const override {
    return target_ == TargetKind::values ? 0 : size_ == 1 ? 3 : 13;
  }
  void read_target(uint32_t, uint32_t e, int64_t* label,
                   float* value) const override {
    if (label && size_ == 1) *label = e % 3;
    for (int64_t i = 0; label && size_ > 1 && i < size_; ++i) label[i] = e + i;
    for (int64_t i = 0; value && i < size_; ++i)
      value[i] = static_cast<float>(e + i);
  }
  nlohmann::json fitted() const override { return {}; }

 private:
  TargetKind target_;
  int64_t size_;
  std::vector<int64_t> shape_{2};
};

GroupTasks source_of(TargetKind target, int64_t size, TaskCounts counts) {
  return {std::make_shared<Toy>(target, size), {1, 3}, counts, "toy"};
}

}  // namespace

TEST_CASE("a task is one group; support and query do not meet", "[tasks]") {
  for (const auto target : {TargetKind::values, TargetKind::classes}) {
    const auto source = source_of(target, 2, {5, 4, 6});
    std::set<float> groups;
    for (uint32_t index = 0; index < 20; ++index) {
      const auto spec = source.describe(3, {Stream::train, 1, index}, {});
      const auto batch = stack_tasks(source, {spec});
      const auto x = at::cat({batch.support.x, batch.query.x}, 1)[0];
      CHECK(batch.support.x.size(1) == 4);
      CHECK(batch.query.x.size(1) == 6);
      std::set<float> examples;
      for (int64_t i = 0; i < 10; ++i) {
        const float group = x[i][0].item<float>();
        CHECK((group == 1 || group == 3));
        CHECK(group == x[0][0].item<float>());
        groups.insert(group);
        examples.insert(x[i][1].item<float>());
      }
      CHECK(examples.size() == 10);
      // Targets go with their examples.
      const auto y = batch.query.y.to(at::kFloat);
      CHECK(batch.query.y.sizes() == at::IntArrayRef({1, 6, 2}));
      CHECK(at::equal(y[0].select(1, 0), batch.query.x[0].select(1, 1)));
      CHECK(at::equal(y[0].select(1, 1), batch.query.x[0].select(1, 1) + 1));
    }
    CHECK(groups.size() == 2);
  }
}

TEST_CASE("labels of a group make N ways, renumbered in each task", "[tasks]") {
  const auto source = source_of(TargetKind::classes, 1, {2, 1, 3});
  std::set<std::pair<int64_t, int64_t>> seen;  // (way, label of the data)
  for (uint32_t index = 0; index < 40; ++index) {
    const auto spec = source.describe(3, {Stream::train, 1, index}, {});
    const auto batch = stack_tasks(source, {spec});
    CHECK(batch.shape.ways == 2);
    CHECK(batch.query.x.size(1) == 6);
    for (const auto* part : {&batch.support, &batch.query})
      for (int64_t i = 0; i < part->x.size(1); ++i) {
        const auto way = part->y[0][i].item<int64_t>();
        const auto label = part->x[0][i][1].item<int64_t>() % 3;
        CHECK(label == spec.transforms.at(static_cast<size_t>(way)));
        seen.insert({way, label});
      }
  }
  CHECK(seen.size() == 6);
}

TEST_CASE("groups that are too small are left out, or refused", "[tasks]") {
  CHECK_THROWS_AS(source_of(TargetKind::values, 1, {5, 7, 6}), ConfigError);
  CHECK_THROWS_AS(source_of(TargetKind::classes, 1, {4, 1, 1}), ConfigError);
  CHECK_THROWS_AS(source_of(TargetKind::classes, 1, {2, 2, 3}), ConfigError);
  CHECK_THROWS_AS(source_of(TargetKind::values, 1, {5, 0, 6}), ConfigError);
}
