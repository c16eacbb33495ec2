// summary.json: what a run has come to.
#pragma once

#include <nlohmann/json.hpp>

#include "protean/trainer/training_state.h"

namespace protean {

// What state and experiment know. Times and speed are over all calls of train()
// that led here; the validation is the last one, of whichever call.
nlohmann::json run_summary(const Experiment& experiment,
                           const TrainingState& state);

}  // namespace protean
