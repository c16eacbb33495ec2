#include "protean/core/plan.h"

#include "protean/core/hash.h"

namespace protean {

uint64_t TaskShape::key() const {
  Hash64 hash;
  for (uint64_t v :
       {uint64_t{ways}, uint64_t{support}, uint64_t{query},
        static_cast<uint64_t>(target), static_cast<uint64_t>(target_size)})
    hash.add(v);
  for (int64_t v : input) hash.add(static_cast<uint64_t>(v));
  return hash.value();
}

}  // namespace protean
