// One collective call as a value: what ranks must agree on, and what errors
// say.
#pragma once

#include <chrono>
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

// What a rank has called on a communicator.
struct Noted {
  uint64_t calls = 0;
  Call last;  // of `calls`
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
};
// What those who wait in call `number`, `text`, should know of a rank that has
// called this: "has not called it; ...", or nothing if it has.
std::string compare_calls(const Noted& noted, const std::string& text,
                          uint64_t number);

// Throw CommError for what no communicator takes.
void check_root(int root, int ranks);  // of a broadcast
void check_color(int color);           // of a split
// The same for what no mailbox takes.
void check_mail(int to, int ranks, const std::string& bytes);

// "1.5 s"
std::string seconds_text(double seconds);
// "rank 3", "ranks 1, 2, 5"
std::string ranks_text(const std::vector<int>& ranks);

}  // namespace protean
