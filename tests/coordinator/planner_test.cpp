#include "protean/coordinator/planner.h"

#include <set>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

std::vector<TaskCost> equal_tasks(size_t n) {
  return std::vector<TaskCost>(n, TaskCost{1, 1});
}

std::vector<size_t> sizes(const std::vector<StackPlan>& stacks) {
  std::vector<size_t> out;
  for (const auto& s : stacks) out.push_back(s.index.size());
  return out;
}

}  // namespace

TEST_CASE("equal tasks are cut evenly, in index order", "[coordinator]") {
  CHECK(sizes(cut_stacks(equal_tasks(10), 4)) == std::vector<size_t>{4, 3, 3});
  CHECK(sizes(cut_stacks(equal_tasks(32), 4)) == std::vector<size_t>(8, 4));
  CHECK(sizes(cut_stacks(equal_tasks(3), 8)) == std::vector<size_t>{3});
  uint32_t next = 0;
  for (const auto& stack : cut_stacks(equal_tasks(25), 4))
    for (uint32_t i : stack.index) CHECK(i == next++);
  CHECK(next == 25);
  CHECK_THROWS_AS(cut_stacks(equal_tasks(2), 0), ConfigError);
}

TEST_CASE("only equal shapes meet in a stack, and no task is lost",
          "[coordinator]") {
  std::vector<TaskCost> tasks;
  for (uint32_t i = 0; i < 50; ++i)
    tasks.push_back({i * i % 3, static_cast<float>(i)});
  std::set<uint32_t> seen;
  for (const auto& stack : cut_stacks(tasks, 4)) {
    CHECK(stack.index.size() <= 4);
    float cost = 0;
    for (uint32_t i : stack.index) {
      CHECK(tasks[i].shape_key == stack.shape_key);
      CHECK(seen.insert(i).second);
      cost += tasks[i].cost;
    }
    CHECK(cost == stack.cost);
  }
  CHECK(seen.size() == 50);
}

TEST_CASE("owners: equal costs go round, long stacks first", "[coordinator]") {
  auto stacks = cut_stacks(equal_tasks(7), 1);
  choose_owners(stacks, 3);
  std::vector<int> owners;
  for (const auto& s : stacks) owners.push_back(s.owner);
  CHECK(owners == std::vector<int>{0, 1, 2, 0, 1, 2, 0});

  // 7 6 5 4 3 2 1 on two ranks: 14 each.
  std::vector<TaskCost> tasks;
  for (uint32_t i = 0; i < 7; ++i) tasks.push_back({i, 1.0f + i});
  stacks = cut_stacks(tasks, 4);
  choose_owners(stacks, 2);
  std::vector<float> load(2, 0);
  for (const auto& s : stacks) load[s.owner] += s.cost;
  CHECK(load[0] == 14);
  CHECK(load[1] == 14);
}
