// Catch2 under mpirun: every rank runs the same tests; a failure on one rank
// fails all. Rank 0 prints; other ranks print only what failed.
#pragma once

#include "protean/comm/world.h"

namespace protean {

// The world of this process, from mpi_main.cpp.
World& test_world();

}  // namespace protean
