#include "protean/tasks/task_batch.h"

#include <ATen/ATen.h>

#include "support/catch.h"

using namespace protean;

namespace {

// One class of index + 1 support images, the last of which weighs a quarter in
// tasks of an odd index.
class Weighed : public TaskSource {
 public:
  TaskSpec describe(uint64_t, TaskId id, const StreamState&) const override {
    TaskSpec spec;
    spec.id = id;
    return spec;
  }
  TaskShape shape(const TaskSpec& spec) const override {
    TaskShape shape;
    shape.ways = 1;
    shape.support = spec.id.index + 1;
    shape.query = 2;
    shape.input = {1};
    shape.weighted = spec.id.index % 2 == 1;
    return shape;
  }
  void materialise(const TaskSpec& spec, EpisodeView out) const override {
    CHECK_FALSE(out.query.weight);
    for (auto [part, n] : {std::pair(out.support, spec.id.index + 1),
                           std::pair(out.query, 2u)}) {
      std::fill_n(part.x, n, 1.0f);
      std::fill_n(part.label, n, 0);
    }
    if (spec.id.index % 2 == 1) out.support.weight[spec.id.index] = 0.25f;
  }
};

TaskBatch stacked(std::initializer_list<uint32_t> indices) {
  std::vector<TaskSpec> specs;
  for (uint32_t i : indices)
    specs.push_back(Weighed().describe(0, {Stream::train, 0, i}, {}));
  return stack_tasks(Weighed(), specs);
}

}  // namespace

TEST_CASE("support examples weigh what their source says, padding nothing",
          "[tasks]") {
  CHECK_FALSE(stacked({0}).support.weight.defined());
  const auto equal = stacked({1, 1});
  CHECK(at::equal(equal.support.weight,
                  at::tensor({1.0f, 0.25f}).repeat({2, 1})));
  CHECK_FALSE(equal.query.weight.defined());
  const auto padded = stacked({0, 1, 3});
  CHECK(at::equal(padded.support.weight,
                  at::tensor({1.0f, 0.0f, 0.0f, 0.0f, 1.0f, 0.25f, 0.0f, 0.0f,
                              1.0f, 1.0f, 1.0f, 0.25f})
                      .view({3, 4})));
  CHECK(at::equal(padded.query.weight, at::ones({3, 2})));
}

TEST_CASE("weighted tasks meet in stacks of their own", "[tasks]") {
  TaskShape plain = Weighed().shape({}), weighted = plain;
  weighted.weighted = true;
  CHECK(plain.key() != weighted.key());
  CHECK(padded(plain, weighted).weighted);
}
