// Which cost table the plan of which step is made with; see protocol.h, Plans.
//
// Thread-safe: tables arrive on the station's thread, the trainer decides, the
// thread that prepares tasks asks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "protean/coordinator/protocol.h"

namespace protean {

class CostSchedule {
 public:
  // start: of all steps until something else is decided.
  explicit CostSchedule(CostTable start);

  // A table arrived; versions only grow.
  void add(CostTable table);
  uint64_t newest() const;
  // From this step on, the table of this version, which has arrived. The same
  // on every rank; steps only grow.
  void decide(uint64_t version, int64_t first_step);
  std::shared_ptr<const CostTable> at(int64_t step) const;

 private:
  using Table = std::shared_ptr<const CostTable>;
  mutable std::mutex mutex_;
  std::map<uint64_t, Table> arrived_;  // by version, from the decided one on
  std::map<int64_t, Table> decided_;   // by first step
};

}  // namespace protean
