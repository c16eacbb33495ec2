// One collective call as a value: what ranks must agree on, and what errors
// say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protean/comm/communicator.h"

namespace protean {

enum class CallKind : uint32_t {
  all_reduce,
  broadcast,
  all_gather,
  barrier,
  split
};

struct Call {
  CallKind kind = CallKind::barrier;
  uint64_t count = 0;  // elements; bytes for broadcast and all_gather
  DType type = DType::u8;
  ReduceOp op = ReduceOp::sum;
  SumOrder order = SumOrder::fast;
  int root = 0;

  bool operator==(const Call&) const = default;
  // "all_reduce(sum, f32[112000])"
  std::string text() const;
};

// "1.5 s"
std::string seconds_text(double seconds);
// "rank 3", "ranks 1, 2, 5"
std::string ranks_text(const std::vector<int>& ranks);

}  // namespace protean
