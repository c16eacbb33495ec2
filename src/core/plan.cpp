#include "protean/core/plan.h"

#include <algorithm>

#include "protean/core/hash.h"

namespace protean {

uint64_t TaskShape::key() const {
  Hash64 hash;
  for (uint64_t v :
       {uint64_t{ways}, uint64_t{support}, uint64_t{query},
        static_cast<uint64_t>(target), static_cast<uint64_t>(target_size)})
    hash.add(v);
  for (int64_t v : input) hash.add(static_cast<uint64_t>(v));
  if (weighted) hash.add(uint64_t{1});
  return hash.value();
}

bool alike(const TaskShape& a, const TaskShape& b) {
  return a.input == b.input && a.target == b.target &&
         a.target_size == b.target_size && (a.ways == 0) == (b.ways == 0);
}

TaskShape padded(const TaskShape& a, const TaskShape& b) {
  TaskShape both = a;
  both.ways = std::max(a.ways, b.ways);
  both.support = std::max(a.support, b.support);
  both.query = std::max(a.query, b.query);
  both.weighted = a.weighted || b.weighted;
  return both;
}

}  // namespace protean
