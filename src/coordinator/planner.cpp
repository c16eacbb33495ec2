#include "protean/coordinator/planner.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <unordered_map>
#include <utility>

#include "protean/core/error.h"

namespace protean {

std::vector<StackPlan> cut_stacks(const std::vector<TaskCost>& tasks,
                                  int64_t stack_limit) {
  if (stack_limit < 1)
    throw ConfigError(
        concat("task.stack = ", stack_limit, "; expected at least 1"));
  std::unordered_map<uint64_t, std::vector<uint32_t>> shapes;
  for (uint32_t i = 0; i < tasks.size(); ++i)
    shapes[tasks[i].shape_key].push_back(i);
  std::vector<StackPlan> stacks;
  for (const auto& [key, members] : shapes) {
    const size_t n = members.size();
    const size_t count = (n + stack_limit - 1) / stack_limit;
    for (size_t s = 0; s < count; ++s) {
      StackPlan stack;
      stack.shape_key = key;
      // The first n % count stacks take one task more.
      const size_t begin = s * (n / count) + std::min(s, n % count);
      const size_t size = n / count + (s < n % count);
      for (size_t i = begin; i < begin + size; ++i) {
        stack.index.push_back(members[i]);
        stack.cost += tasks[members[i]].cost;
      }
      stacks.push_back(std::move(stack));
    }
  }
  std::sort(stacks.begin(), stacks.end(), [](const auto& a, const auto& b) {
    return a.index.front() < b.index.front();
  });
  return stacks;
}

void choose_owners(std::vector<StackPlan>& stacks, int ranks, int first) {
  std::vector<size_t> order(stacks.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return stacks[a].cost > stacks[b].cost;
  });
  using Load = std::pair<double, int>;  // of a rank
  std::priority_queue<Load, std::vector<Load>, std::greater<>> least;
  for (int r = first; r < ranks; ++r) least.emplace(0, r);
  for (size_t i : order) {
    const auto [load, rank] = least.top();
    least.pop();
    stacks[i].owner = static_cast<uint16_t>(rank);
    least.emplace(load + stacks[i].cost, rank);
  }
}

}  // namespace protean
