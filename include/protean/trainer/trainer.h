// Meta-training: the loop, from a checked configuration to a run directory.
#pragma once

#include <string>

#include <c10/core/Device.h>
#include <nlohmann/json.hpp>

#include "protean/comm/world.h"
#include "protean/experiment/experiment.h"

namespace protean {

// What belongs to a run beside the experiment itself.
struct RunContext {
  ConfigValues values;          // resolved, for config.ini and comparisons
  ConfigValues defaults;        // of every key
  std::string config_text;      // the values as an INI file
  std::string resume = "none";  // none, auto, or the folder of another run
  nlohmann::json provenance;    // of the build and this machine
  nlohmann::json data;          // for data.json (rank 0)
  std::string checkpoint = "latest";  // of another run: or best, or a step
  c10::Device device{c10::DeviceType::CPU};  // this rank's: choose_device()
};

struct TrainOutcome {
  int exit_code = 0;
  nlohmann::json summary;  // as written to summary.json
};

// Collective: every rank of the world calls it with the same experiment. Rank 0
// writes. A run that diverges goes back to its newest checkpoint, or its start,
// optim.retries times. Returns kExitDone, or kExitStopped when a signal asked
// for the end and the last checkpoint is stored.
TrainOutcome train(const Experiment& experiment, World& world,
                   const RunContext& context);

}  // namespace protean
