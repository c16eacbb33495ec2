// What rank 0 alone does before the first step (folders, checkpoints), and all
// ranks must know the outcome of.
#pragma once

#include <functional>

#include "protean/comm/communicator.h"

namespace protean {

// Collective. Runs `work` on rank 0; what it throws, every rank throws as an
// AgreedError of the same text and exit code, so one line ends the job.
void on_root(Communicator& comm, const std::function<void()>& work);

}  // namespace protean
