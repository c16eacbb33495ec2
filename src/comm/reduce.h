// Element-wise reductions of host memory.
#pragma once

#include <cstddef>

#include "protean/comm/communicator.h"

namespace protean {

// into[i] = op(into[i], from[i]); the buffers do not overlap.
void reduce_into(void* into, const void* from, size_t count, DType type,
                 ReduceOp op);

}  // namespace protean
