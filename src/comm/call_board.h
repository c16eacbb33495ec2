// How a communicator that cannot see who is missing (NCCL) finds out: its calls
// are noted on the control communicator, which can ask the other ranks.
#pragma once

#include <cstdint>
#include <string>

#include "comm/call.h"

namespace protean {

class CallBoard {
 public:
  virtual ~CallBoard() = default;
  // This rank makes its next call of the noted kind.
  virtual void note_call(const Call& call) = 0;
  // Which ranks have not made call `number` (from 1), which made another, which
  // do not answer; for the end of an error message. Takes a second at most.
  virtual std::string who_is_missing(const Call& call, uint64_t number) = 0;
};

}  // namespace protean
