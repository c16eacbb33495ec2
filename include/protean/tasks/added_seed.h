// The seed of a source that wraps another and adds something of its own to its
// tasks: one latent more, the last, of the wrapped source's spec.
#pragma once

#include <cstdint>

#include "protean/core/plan.h"

namespace protean {

TaskSpec with_seed(TaskSpec base, uint64_t seed);

// The wrapped source's spec. Throws Error naming the task when it has no seed.
TaskSpec without_seed(TaskSpec spec);

}  // namespace protean
