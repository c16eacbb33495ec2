// Commands that use a trained run: --run DIR and what it holds.
#pragma once

#include "protean/comm/world.h"
#include "protean/experiment/stored_run.h"

#include "cli/options.h"

namespace protean {

// --checkpoint, of commands that use a run.
CommandFlag checkpoint_flag();

// The config.ini of --run; throws ConfigError when there is none.
std::filesystem::path run_config(const CommandLine& line);

// What flags and files say of a run beside its configuration.
AskedOfRun asked_of_run(const CommandLine& line);

// Collective: --run, with what the command line changes of its configuration.
// Sets the threads of this rank.
StoredRun open_run(const CommandLine& line, Communicator& comm,
                   OpenFor purpose = OpenFor::use);

// Throws ConfigError where the command line asks `what` for another device than
// the CPU, which is what it computes on.
void check_on_host(const CommandLine& line, const std::string& what);

// Collective: moves the run's values to this rank's device. What adapts and
// predicts follows them.
void move_to_device(const CommandLine& line, World& world, StoredRun& run);

}  // namespace protean
