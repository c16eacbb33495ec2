// `pack` and `inspect` of Meta-Dataset's records.
#pragma once

#include "cli/commands.h"

namespace protean {

// pack --synthesise.
int run_synthesise(const CommandLine& line);

// pack --in RECORDS.
int pack_records_command(const CommandLine& line);

int inspect_records(const CommandLine& line);

}  // namespace protean
