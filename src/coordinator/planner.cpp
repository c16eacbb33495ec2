#include "protean/coordinator/planner.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>
#include <tuple>
#include <utility>

#include "protean/core/error.h"

namespace protean {

namespace {

using Shapes = std::vector<TaskShape>;
using Members = std::vector<uint32_t>;  // of the meta-batch

// Members of equal kind, kinds in the order of their first member.
template <typename Same>
std::vector<Members> groups(const Shapes& tasks, const Same& same) {
  std::vector<Members> all;
  for (uint32_t i = 0; i < tasks.size(); ++i) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& g) {
      return same(tasks[g.front()], tasks[i]);
    });
    if (found == all.end())
      all.push_back({i});
    else
      found->push_back(i);
  }
  return all;
}

StackPlan stack_of(const Shapes& tasks, Members members) {
  std::sort(members.begin(), members.end());
  TaskShape shape = tasks[members.front()];
  for (uint32_t i : members) shape = padded(shape, tasks[i]);
  StackPlan stack;
  stack.shape_key = shape.key();
  stack.cost = static_cast<float>(shape.examples() *
                                  static_cast<int64_t>(members.size()));
  stack.index = std::move(members);
  return stack;
}

void cut_evenly(const Shapes& tasks, const Members& members, size_t limit,
                std::vector<StackPlan>& stacks) {
  const size_t n = members.size();
  const size_t count = (n + limit - 1) / limit;
  for (size_t s = 0; s < count; ++s) {
    // The first n % count stacks take one task more.
    const size_t begin = s * (n / count) + std::min(s, n % count);
    const size_t size = n / count + (s < n % count);
    const auto at = members.begin() + static_cast<int64_t>(begin);
    stacks.push_back(
        stack_of(tasks, Members(at, at + static_cast<int64_t>(size))));
  }
}

void cut_cheapest(const Shapes& tasks, Members members, size_t limit,
                  int64_t overhead, std::vector<StackPlan>& stacks) {
  std::stable_sort(members.begin(), members.end(), [&](uint32_t a, uint32_t b) {
    const auto size = [&](uint32_t i) {
      return std::tuple(tasks[i].examples(), tasks[i].support, tasks[i].ways);
    };
    return size(a) < size(b);
  });
  // Of the first j members: the least cost, and where its last stack begins.
  struct Best {
    int64_t cost = 0;
    size_t begin = 0;
  };
  std::vector<Best> best(members.size() + 1);
  for (size_t j = 1; j < best.size(); ++j) {
    TaskShape shape = tasks[members[j - 1]];
    best[j].cost = std::numeric_limits<int64_t>::max();
    for (size_t i = j; i-- > 0 && j - i <= limit;) {
      shape = padded(shape, tasks[members[i]]);
      const int64_t cost = best[i].cost + overhead +
                           shape.examples() * static_cast<int64_t>(j - i);
      if (cost <= best[j].cost) best[j] = {cost, i};
    }
  }
  for (size_t j = members.size(); j > 0; j = best[j].begin) {
    const auto at = members.begin();
    stacks.push_back(
        stack_of(tasks, Members(at + static_cast<int64_t>(best[j].begin),
                                at + static_cast<int64_t>(j))));
  }
}

}  // namespace

std::vector<StackPlan> cut_stacks(const Shapes& tasks,
                                  const CutOptions& options) {
  if (options.limit < 1)
    throw ConfigError(
        concat("task.stack = ", options.limit, "; expected at least 1"));
  if (options.overhead < 0)
    throw ConfigError(concat("task.stack_overhead = ", options.overhead,
                             "; expected at least 0"));
  const auto limit = static_cast<size_t>(options.limit);
  std::vector<StackPlan> stacks;
  const bool pad =
      options.overhead > 0 &&
      std::any_of(tasks.begin(), tasks.end(),
                  [&](const auto& shape) { return shape != tasks.front(); });
  if (pad)
    for (auto& group : groups(tasks, alike))
      cut_cheapest(tasks, std::move(group), limit, options.overhead, stacks);
  else
    for (const auto& group : groups(tasks, std::equal_to<>()))
      cut_evenly(tasks, group, limit, stacks);
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
