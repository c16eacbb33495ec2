// The GPU kernels' text (models/ops/gpu) for the host's compiler: a block's
// threads run one after the other between two barriers.
#pragma once

#include <cmath>

#define PROTEAN_DEVICE
#define PROTEAN_SHARED
#define PROTEAN_SQRT std::sqrt
#define PROTEAN_FOR_THREADS(thread) \
  for (int thread = 0; thread < protean_gpu::kThreads; ++thread) {
#define PROTEAN_END_THREADS }

// Behind what it is written in.
#include "models/ops/gpu/norm_relu_pool.cu.h"
