#include "protean/tasks/domain_tasks.h"

#include <cmath>
#include <set>
#include <tuple>

#include "protean/core/error.h"
#include "protean/tasks/task_batch.h"
#include "protean/tasks/task_list.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

// 12 classes in 3 groups, 6 examples each; a 1x2x2 image is (class + 1) / 100,
// (example + 1) / 100, 0, 0: every turn and inversion of it is another.
class Toy : public ClassDataset {
 public:
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 12; }
  uint32_t size(uint32_t) const override { return 6; }
  std::string class_name(uint32_t c) const override {
    return concat("g", c / 4, "/c", c);
  }
  std::string group(uint32_t c) const override { return concat("g", c / 4); }
  void read(uint32_t c, uint32_t e, float* out) const override {
    out[0] = static_cast<float>(c + 1) / 100;
    out[1] = static_cast<float>(e + 1) / 100;
    out[2] = out[3] = 0;
  }
  std::string checksum() const override { return "toy"; }

 private:
  std::vector<int64_t> shape_{1, 2, 2};
};

const std::vector<uint32_t> kAll{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

// What an image says of itself.
struct Seen {
  int turns = -1, cls = -1, example = -1;
  bool inverted = false;
};

Seen look(const float* image) {
  Seen seen;
  float v[4];
  seen.inverted = image[0] + image[1] + image[2] + image[3] > 2;
  for (int i = 0; i < 4; ++i) v[i] = seen.inverted ? 1 - image[i] : image[i];
  // Two pixels lie side by side, in reading order, at the edge that was above:
  // after k quarter turns to the left that edge is top, left, bottom, right.
  const int first[] = {0, 2, 3, 1}, second[] = {1, 0, 2, 3};
  for (int k = 0; k < 4; ++k) {
    if (v[first[k]] < 0.005f || v[second[k]] < 0.005f) continue;
    seen.turns = k;
    seen.cls = static_cast<int>(std::lround(v[first[k]] * 100)) - 1;
    seen.example = static_cast<int>(std::lround(v[second[k]] * 100)) - 1;
  }
  return seen;
}

struct Task {
  std::vector<Seen> support, query;
  std::vector<int64_t> support_label, query_label;
};

Task make(const DomainTasks& source, const TaskSpec& spec) {
  const auto batch = stack_tasks(source, {spec});
  Task task;
  for (int64_t i = 0; i < batch.support.x.size(1); ++i) {
    task.support.push_back(look(batch.support.x.data_ptr<float>() + 4 * i));
    task.support_label.push_back(batch.support.y.data_ptr<int64_t>()[i]);
  }
  for (int64_t i = 0; i < batch.query.x.size(1); ++i) {
    task.query.push_back(look(batch.query.x.data_ptr<float>() + 4 * i));
    task.query_label.push_back(batch.query.y.data_ptr<int64_t>()[i]);
  }
  return task;
}

DomainTasks source_of(DomainKind kind, TaskCounts counts = {3, 2, 3}) {
  return {std::make_shared<Toy>(), kAll, counts, kind, "toy"};
}

}  // namespace

TEST_CASE("queries stand in a turn that the support does not show", "[tasks]") {
  const auto source = source_of(DomainKind::rotation);
  std::set<int> held;
  for (uint32_t index = 0; index < 30; ++index) {
    const auto spec = source.describe(7, {Stream::train, 0, index}, {});
    CHECK((spec == source.describe(7, {Stream::train, 0, index}, {})));
    const auto task = make(source, spec);
    const int turn = task.query[0].turns;
    held.insert(turn);
    std::set<std::pair<int, int>> drawings;
    for (const auto& q : task.query) {
      CHECK(q.turns == turn);
      CHECK_FALSE(q.inverted);
      drawings.insert({q.cls, q.example});
    }
    for (size_t i = 0; i < task.support.size(); ++i) {
      CHECK(task.support[i].turns != turn);
      drawings.insert({task.support[i].cls, task.support[i].example});
      // The label is the class, here as there.
      for (size_t j = 0; j < task.query.size(); ++j)
        CHECK((task.support[i].cls == task.query[j].cls) ==
              (task.support_label[i] == task.query_label[j]));
    }
    CHECK(drawings.size() == task.query.size() + task.support.size());
  }
  CHECK(held.size() == 4);
}

TEST_CASE("queries are inverted where the support is not", "[tasks]") {
  const auto source = source_of(DomainKind::inversion);
  std::set<bool> held;
  for (uint32_t index = 0; index < 20; ++index) {
    const auto task =
        make(source, source.describe(7, {Stream::test, 0, index}, {}));
    held.insert(task.query[0].inverted);
    for (const auto& q : task.query)
      CHECK(q.inverted == task.query[0].inverted);
    for (const auto& s : task.support)
      CHECK(s.inverted != task.query[0].inverted);
  }
  CHECK(held.size() == 2);
}

TEST_CASE("queries come from an alphabet that the support lacks", "[tasks]") {
  const auto source = source_of(DomainKind::alphabet, {4, 2, 3});
  std::set<int> held;
  for (uint32_t index = 0; index < 20; ++index) {
    const auto task =
        make(source, source.describe(7, {Stream::test, 0, index}, {}));
    const int group = task.query[0].cls / 4;
    held.insert(group);
    for (size_t i = 0; i < task.query.size(); ++i) {
      CHECK(task.query[i].cls / 4 == group);
      CHECK(task.query[i].turns == task.query_label[i]);
    }
    for (size_t i = 0; i < task.support.size(); ++i) {
      CHECK(task.support[i].cls / 4 != group);
      CHECK(task.support[i].turns == task.support_label[i]);
    }
  }
  CHECK(held.size() == 3);
}

TEST_CASE("no drawing comes twice with one label", "[tasks]") {
  // All 24 drawings of an alphabet as queries, 20 of 48 others as support.
  const auto source = source_of(DomainKind::alphabet, {4, 20, 24});
  for (uint32_t index = 0; index < 5; ++index) {
    const auto task =
        make(source, source.describe(7, {Stream::test, 0, index}, {}));
    std::set<std::tuple<int64_t, int, int>> seen;
    for (size_t i = 0; i < task.query.size(); ++i)
      seen.insert(
          {task.query_label[i], task.query[i].cls, task.query[i].example});
    CHECK(seen.size() == 4 * 24);
    for (size_t i = 0; i < task.support.size(); ++i)
      seen.insert({task.support_label[i], task.support[i].cls,
                   task.support[i].example});
    CHECK(seen.size() == 4 * (20 + 24));
  }
  CHECK_THROWS_WITH(source_of(DomainKind::alphabet, {4, 20, 25}),
                    contains("task.queries = 25, but the toy classes hold 24 "
                             "images in their smallest group"));
  CHECK_THROWS_WITH(source_of(DomainKind::alphabet, {4, 49, 1}),
                    contains("task.shots = 49, but the toy classes hold 48 "
                             "images beside their largest group"));
}

TEST_CASE("a list of domain tasks reads back the same", "[tasks]") {
  TempDir dir;
  TaskSources sources;
  sources.examples = std::make_shared<Toy>();
  sources.examples_checksum = "toy";
  for (auto kind : {DomainKind::rotation, DomainKind::alphabet}) {
    const auto source = source_of(kind, {3, 1, 1});
    std::vector<TaskSpec> specs;
    for (uint32_t i = 0; i < 3; ++i)
      specs.push_back(source.describe(1, {Stream::test, 0, i}, {}));
    write_task_list(dir.path() / "l", sources, specs);
    CHECK((read_task_list(dir.path() / "l", sources) == specs));
  }
}

TEST_CASE("domains that cannot be are refused", "[tasks]") {
  CHECK_THROWS_AS(parse_domain("colour"), ConfigError);
  CHECK_THROWS_AS(source_of(DomainKind::alphabet, {5, 1, 1}), ConfigError);
  CHECK_THROWS_AS(source_of(DomainKind::rotation, {3, 4, 3}), ConfigError);
  CHECK_THROWS_AS(source_of(DomainKind::inversion, {13, 1, 1}), ConfigError);
  CHECK_THROWS_AS(DomainTasks(std::make_shared<Toy>(), {0, 1, 2}, {3, 1, 1},
                              DomainKind::alphabet, "toy"),
                  ConfigError);
}
