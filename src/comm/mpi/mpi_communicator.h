// The ranks of an MPI job.
#pragma once

#include <memory>

#include "protean/comm/communicator.h"
#include "protean/comm/mailbox.h"

namespace protean::mpi {

class Engine;

// Over all ranks; engine outlives it.
std::unique_ptr<Communicator> make_world(Engine& engine);
std::unique_ptr<Mailbox> make_mailbox(Engine& engine);

}  // namespace protean::mpi
