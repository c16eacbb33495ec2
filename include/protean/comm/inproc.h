// Threads as ranks: the reference meaning of every operation.
#pragma once

#include <memory>
#include <vector>

#include "protean/comm/communicator.h"
#include "protean/comm/mailbox.h"
#include "protean/comm/world.h"

namespace protean {

struct InprocRank {
  std::unique_ptr<Communicator> comm;
  std::unique_ptr<Mailbox> mail;
};

// One per rank, each for one thread. They share their state; the last one frees
// it. With ranks == 1 collectives take no lock.
std::vector<InprocRank> make_inproc(int ranks, const CommOptions& options);

}  // namespace protean
