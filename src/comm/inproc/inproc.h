// Threads as ranks: the reference meaning of every operation.
#pragma once

#include <memory>
#include <vector>

#include "protean/comm/communicator.h"
#include "protean/comm/world.h"

namespace protean {

// One communicator per rank, each for one thread. They share their state; the
// last one frees it. With ranks == 1 no lock is ever taken.
std::vector<std::unique_ptr<Communicator>> make_inproc(
    int ranks, const CommOptions& options);

}  // namespace protean
