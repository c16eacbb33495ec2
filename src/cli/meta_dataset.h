// eval --protocol meta-dataset.
#pragma once

#include "cli/commands.h"
#include "cli/open_run.h"

namespace protean {

// Collective: the run on every source of its records, or of --data, as
// Meta-Dataset is evaluated: eval.tasks episodes each of eval.stream's classes.
int meta_dataset_protocol(const CommandLine& line, World& world,
                          const StoredRun& run);

}  // namespace protean
