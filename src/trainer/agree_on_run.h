// Before the first step: do all ranks run the same thing, and can they?
#pragma once

#include "protean/comm/world.h"
#include "protean/experiment/experiment.h"
#include "protean/trainer/reduction.h"

namespace protean {

// Collective. values: every key. Throws AgreedError naming what differs, or the
// key that does not go with this job.
void agree_on_run(const Experiment& experiment, const ConfigValues& values,
                  const ReductionOptions& reduction, at::Device device,
                  World& world);

}  // namespace protean
