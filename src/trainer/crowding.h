// Whether the ranks of a host have more threads than it has cores.
#pragma once

#include "protean/comm/world.h"

namespace protean {

// Warns, once per job, when a rank's threads outnumber the cores that it may
// use, or those of all ranks of its host the host's.
void warn_of_crowding(const World& world, int threads);

}  // namespace protean
