// Commands that use a trained run: --run DIR and what it holds.
#pragma once

#include "protean/experiment/stored_run.h"

#include "cli/options.h"

namespace protean {

// The config.ini of --run; throws ConfigError when there is none.
std::filesystem::path run_config(const CommandLine& line);

struct OpenRun {
  Experiment experiment;
  StoredMeta stored;
};

// Collective: the run's experiment, with what the command line changes of it,
// and its newest checkpoint. Sets the threads of this rank.
OpenRun open_run(const CommandLine& line, Communicator& comm);

}  // namespace protean
