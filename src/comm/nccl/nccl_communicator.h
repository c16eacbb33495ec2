// Ranks that exchange device memory by NCCL.
//
// Each call runs on a stream of the communicator, after the work queued so far
// on the followed stream. Calls return, and requests are done, when the host
// has seen the result complete: later work on any stream may use it. Nothing
// waits without an end: the stream, NCCL's own state and the control
// communicator are polled together up to the deadline. A rank that sees an
// error tells the others through control; all of them then abort their NCCL
// communicator.
#pragma once

#include <memory>

#include "protean/comm/communicator.h"
#include "protean/comm/world.h"

#include "comm/nccl/api.h"

namespace protean::nccl {

// Collective over world.control, which the result keeps a copy of (a split).
// The device is that of rank_gpu(). All ranks get the communicator, or all
// throw.
std::unique_ptr<Communicator> make(const Api& api, World& world,
                                   const CommOptions& options);

}  // namespace protean::nccl
