// One meta-step, as everybody makes it who trains: the step's tasks, the global
// means that the outer step asks for, theta and meta-state changed alike on
// every rank.
#pragma once

#include "protean/trainer/step_objective.h"
#include "protean/trainer/training_state.h"

namespace protean {

struct MetaStepOptions {
  int64_t steps = 0;  // that the rate's schedule ends after
  double rate = 1;    // times what optim.lr and its schedule say
  // Who trains, for messages: "" or "the generator's ".
  const char* whose = "";
};

// Collective over the objective's ranks; changes state, all but what the
// trainer alone keeps there (best validations, costs, ...). Its times and
// totals are the objective's. Throws, the same on every rank, NumericError when
// a loss, a gradient or a parameter is not finite (the state is then lost),
// AgreedError when ranks hold other parameters than rank 0 (report().hash).
// On a device parameters that are not finite show in the next step's losses.
void meta_step(StepObjective& objective, TrainingState& state,
               const MetaStepOptions& options);

// Throws NumericError unless theta is finite: before it is stored, where no
// later step would tell. Reads a device.
void check_finite(const TrainingState& state);

}  // namespace protean
