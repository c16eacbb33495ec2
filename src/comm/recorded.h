// What every rank called, for the time after a failure, and for traces.
#pragma once

#include <memory>

#include "protean/comm/communicator.h"

#include "comm/call_board.h"

namespace protean {

// A communicator whose calls are noted: the last kMostCalls of each rank of
// this process are kept, whatever communicators they were made on. name: of the
// communicator in that list ("control", "data").
constexpr size_t kMostCalls = 1024;
std::unique_ptr<Communicator> recorded(std::unique_ptr<Communicator> inner,
                                       const char* name);

// The board of a communicator, recorded or not; null: it has none.
CallBoard* call_board_of(Communicator& communicator);

// Into the log file of this process, once: what this thread's rank called last.
// For the way out.
void dump_calls();

}  // namespace protean
