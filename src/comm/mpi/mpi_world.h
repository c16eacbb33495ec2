// run_world for ranks that are processes of an MPI job.
#pragma once

#include <functional>

#include "protean/comm/world.h"

namespace protean::mpi {

// add_data: fills World::data (NCCL), or empty.
int run(const CommOptions& options, const std::function<void(World&)>& add_data,
        const std::function<int(World&)>& body);

}  // namespace protean::mpi
