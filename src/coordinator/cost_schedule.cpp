#include "protean/coordinator/cost_schedule.h"

#include <limits>
#include <utility>

#include "protean/core/error.h"

namespace protean {

CostSchedule::CostSchedule(CostTable start) {
  auto table = std::make_shared<const CostTable>(std::move(start));
  arrived_[table->version] = table;
  decided_[std::numeric_limits<int64_t>::min()] = table;
}

void CostSchedule::add(CostTable table) {
  std::lock_guard lock(mutex_);
  const auto version = table.version;
  arrived_[version] = std::make_shared<const CostTable>(std::move(table));
}

uint64_t CostSchedule::newest() const {
  std::lock_guard lock(mutex_);
  return arrived_.rbegin()->first;
}

void CostSchedule::decide(uint64_t version, int64_t first_step) {
  std::lock_guard lock(mutex_);
  if (decided_.rbegin()->second->version == version) return;
  const auto table = arrived_.find(version);
  if (table == arrived_.end())
    throw Error(concat("cost table ", version, " is decided on, the newest is ",
                       arrived_.rbegin()->first));
  decided_[first_step] = table->second;
  arrived_.erase(arrived_.begin(), table);
  // Steps are planned a few ahead of the decided one, never far behind it.
  constexpr size_t kKept = 64;
  while (decided_.size() > kKept) {
    auto second = std::next(decided_.begin());
    decided_.begin()->second.swap(second->second);
    decided_.erase(second);
  }
}

std::shared_ptr<const CostTable> CostSchedule::at(int64_t step) const {
  std::lock_guard lock(mutex_);
  return std::prev(decided_.upper_bound(step))->second;
}

}  // namespace protean
