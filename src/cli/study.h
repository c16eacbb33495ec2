// `protean eval --study`: several runs, or several questions, in one table.
#pragma once

#include "cli/commands.h"
#include "cli/open_run.h"

namespace protean {

// --run names one run or several, comma-separated. `args` are the words of the
// command, for the settings of each run.
int study(const CommandLine& line, World& world, const Arguments& args,
          const std::vector<CommandFlag>& flags);

// The first of the runs that --run names.
std::string first_run(const std::string& runs);

}  // namespace protean
