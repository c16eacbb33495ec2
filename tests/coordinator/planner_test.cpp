// Cuts and owners worked out by hand.
#include "protean/coordinator/planner.h"

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

using Indices = std::vector<uint32_t>;

TaskShape task(uint32_t ways, uint32_t support, uint32_t query) {
  TaskShape shape;
  shape.ways = ways;
  shape.support = support;
  shape.query = query;
  shape.input = {1, 28, 28};
  return shape;
}

// Equal ways and support, so many examples in all.
TaskShape of_size(uint32_t examples) { return task(5, 5, examples - 5); }

std::vector<Indices> indices(const std::vector<StackPlan>& stacks) {
  std::vector<Indices> out;
  for (const auto& s : stacks) out.push_back(s.index);
  return out;
}

std::vector<float> costs(const std::vector<StackPlan>& stacks) {
  std::vector<float> out;
  for (const auto& s : stacks) out.push_back(s.cost);
  return out;
}

std::vector<int> owners(const std::vector<float>& costs, int ranks,
                        int first = 0) {
  std::vector<StackPlan> stacks(costs.size());
  for (size_t i = 0; i < costs.size(); ++i) stacks[i].cost = costs[i];
  choose_owners(stacks, ranks, first);
  std::vector<int> out;
  for (const auto& s : stacks) out.push_back(s.owner);
  return out;
}

}  // namespace

TEST_CASE("equal tasks are cut evenly, in index order", "[coordinator]") {
  const auto cut = [](size_t tasks, int64_t limit, int64_t overhead = 0) {
    return indices(cut_stacks(std::vector<TaskShape>(tasks, task(5, 5, 75)),
                              {limit, overhead}));
  };
  CHECK(cut(10, 4) == std::vector<Indices>{{0, 1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
  CHECK(cut(8, 4) == std::vector<Indices>{{0, 1, 2, 3}, {4, 5, 6, 7}});
  CHECK(cut(4, 4) == std::vector<Indices>{{0, 1, 2, 3}});
  CHECK(cut(3, 8) == std::vector<Indices>{{0, 1, 2}});
  CHECK(cut(3, 1) == std::vector<Indices>{{0}, {1}, {2}});
  // There is nothing to pad: an overhead changes nothing.
  CHECK(cut(10, 4, 1000) == cut(10, 4));
}

TEST_CASE("without an overhead tasks of equal shape alone meet",
          "[coordinator]") {
  const auto a = task(5, 5, 75), b = task(20, 20, 100);
  const auto stacks = cut_stacks({a, b, a, b, a}, {2, 0});
  CHECK(indices(stacks) == std::vector<Indices>{{0, 2}, {1, 3}, {4}});
  CHECK(costs(stacks) == std::vector<float>{160, 240, 80});
  CHECK(stacks[0].shape_key == a.key());
  CHECK(stacks[1].shape_key == b.key());
  CHECK(stacks[2].shape_key == a.key());
}

// 30, 10, 12 and 10 examples. With an overhead of 5: three tasks padded to 12
// and one alone cost 36 + 5 + 30 + 5 = 76, {10, 10} {12} {30} cost 77, all in
// one 125, each alone 82. With an overhead of 1: 68 against 65.
TEST_CASE("tasks are padded where that is cheaper than a stack more",
          "[coordinator]") {
  const std::vector<TaskShape> tasks = {of_size(30), of_size(10), of_size(12),
                                        of_size(10)};
  auto stacks = cut_stacks(tasks, {4, 5});
  CHECK(indices(stacks) == std::vector<Indices>{{0}, {1, 2, 3}});
  CHECK(costs(stacks) == std::vector<float>{30, 36});
  CHECK(stacks[1].shape_key == of_size(12).key());

  stacks = cut_stacks(tasks, {4, 1});
  CHECK(indices(stacks) == std::vector<Indices>{{0}, {1, 3}, {2}});
  CHECK(costs(stacks) == std::vector<float>{30, 20, 12});

  // 100 for a stack: four tasks of 30 cost 220, the cut above 266.
  stacks = cut_stacks(tasks, {4, 100});
  CHECK(indices(stacks) == std::vector<Indices>{{0, 1, 2, 3}});
  CHECK(costs(stacks) == std::vector<float>{120});
}

// 2 + 8 and 8 + 2 examples have 8 + 8 together: 32 + 11 against 10 + 11 each.
TEST_CASE("padding counts support and query apart", "[coordinator]") {
  const std::vector<TaskShape> tasks = {task(2, 2, 8), task(2, 8, 2)};
  CHECK(indices(cut_stacks(tasks, {4, 11})) == std::vector<Indices>{{0}, {1}});
  const auto stacks = cut_stacks(tasks, {4, 13});
  CHECK(indices(stacks) == std::vector<Indices>{{0, 1}});
  CHECK(costs(stacks) == std::vector<float>{32});
  CHECK(stacks[0].shape_key == task(2, 8, 8).key());
}

// {10, 11} {12} and {10} {11, 12} both cost 34 and two stacks.
TEST_CASE("no stack is above the limit, and of equal cuts one is taken",
          "[coordinator]") {
  const auto stacks =
      cut_stacks({of_size(11), of_size(12), of_size(10)}, {2, 100});
  CHECK(indices(stacks) == std::vector<Indices>{{0, 1}, {2}});
  CHECK(costs(stacks) == std::vector<float>{24, 10});
  for (int64_t limit : {1, 2, 3, 7})
    for (const auto& stack :
         cut_stacks({of_size(10), of_size(11), of_size(12), of_size(13),
                     of_size(14), of_size(15), of_size(16), of_size(17)},
                    {limit, 1000}))
      CHECK(static_cast<int64_t>(stack.index.size()) <= limit);
}

TEST_CASE("tasks of another kind never meet", "[coordinator]") {
  auto values = of_size(10);
  values.ways = 0;
  values.target = TargetKind::values;
  auto small = of_size(10);
  small.input = {1, 14, 14};
  CHECK(indices(
            cut_stacks({of_size(10), values, small, of_size(11)}, {4, 1000})) ==
        std::vector<Indices>{{0, 3}, {1}, {2}});
}

TEST_CASE("a cut that cannot be made is refused by key and value",
          "[coordinator]") {
  CHECK_THROWS_WITH(cut_stacks({of_size(10)}, {0, 0}),
                    contains("task.stack = 0; expected at least 1"));
  CHECK_THROWS_WITH(cut_stacks({of_size(10)}, {4, -1}),
                    contains("task.stack_overhead = -1; expected at least 0"));
  CHECK(cut_stacks({}, {4, 0}).empty());
}

TEST_CASE("equal costs go round, the longest stacks go first",
          "[coordinator]") {
  CHECK(owners({1, 1, 1, 1, 1, 1, 1}, 3) ==
        std::vector<int>{0, 1, 2, 0, 1, 2, 0});
  // 7 to rank 0; 6 and 5 to rank 1; 4 and, at 11 each, 3 to rank 0; 2 and 1 to
  // rank 1: 14 each.
  CHECK(owners({1, 2, 3, 4, 5, 6, 7}, 2) ==
        std::vector<int>{1, 1, 0, 0, 1, 1, 0});
  // One long stack is as much as four short ones.
  CHECK(owners({1, 1, 4, 1, 1}, 2) == std::vector<int>{1, 1, 0, 1, 1});
  CHECK(owners({1, 1, 1}, 3, 1) == std::vector<int>{1, 2, 1});
  CHECK(owners({1, 1}, 1) == std::vector<int>{0, 0});
}
