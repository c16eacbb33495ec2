#include "protean/coordinator/cost_model.h"

#include <algorithm>
#include <cmath>

namespace protean {
namespace {

// A new measurement outweighs what came before by as much as some twenty did:
// machines change their speed in minutes, noise in steps.
constexpr double kKeep = 0.95;
// A table travels when a ratio has moved by more than this share.
constexpr double kWorthTelling = 0.1;

}  // namespace

CostModel::CostModel(const CostTable& start) : table_(start) {
  // A weak memory: the first measurements of this machine take over.
  for (const auto& e : start.entries)
    ratios_[e.shape_key] = {1, e.seconds_per_cost};
}

void CostModel::observe(const StackCost& c) {
  if (!(c.static_cost > 0) || !(c.seconds > 0) || !std::isfinite(c.seconds) ||
      !std::isfinite(c.static_cost))
    return;
  auto& r = ratios_[c.shape_key];
  r.cost = r.cost * kKeep + c.static_cost;
  r.seconds = r.seconds * kKeep + c.seconds;
}

const CostTable& CostModel::table() {
  bool moved = ratios_.size() != table_.entries.size();
  CostTable next;
  for (const auto& [key, r] : ratios_)
    next.entries.push_back({key, r.seconds / r.cost});
  for (size_t i = 0; !moved && i < next.entries.size(); ++i) {
    const double was = table_.entries[i].seconds_per_cost;
    moved =
        std::abs(next.entries[i].seconds_per_cost - was) > kWorthTelling * was;
  }
  if (moved) {
    next.version = table_.version + 1;
    table_ = std::move(next);
  }
  return table_;
}

void predict_costs(const CostTable& table, std::vector<StackPlan>& stacks) {
  if (table.entries.empty()) return;
  double mean = 0;
  for (const auto& e : table.entries) mean += e.seconds_per_cost;
  mean /= static_cast<double>(table.entries.size());
  for (auto& stack : stacks) {
    const auto at = std::lower_bound(
        table.entries.begin(), table.entries.end(), stack.shape_key,
        [](const auto& e, uint64_t key) { return e.shape_key < key; });
    const bool known =
        at != table.entries.end() && at->shape_key == stack.shape_key;
    stack.cost *= static_cast<float>(known ? at->seconds_per_cost : mean);
  }
}

}  // namespace protean
