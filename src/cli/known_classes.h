// What a run, and what it stands on, was trained on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protean/experiment/trained_on.h"

#include "cli/options.h"

namespace protean {

// Of a run that is about to be trained: by itself, by the runs of
// generator.from and model.init_from.
TrainedOn learnt_by_new_run(const Experiment& experiment);
// Of a stored run, and of the runs of eval.features that judge it.
TrainedOn learnt_by_stored_run(const std::string& dir,
                               const EvalOptions& options);

// Which classes of evaluated tasks, those of --task-list or of eval.stream,
// were trained on; nothing where tasks have no classes. Throws ConfigError.
std::optional<KnownClasses> check_evaluated(const CommandLine& line,
                                            const Experiment& experiment,
                                            const std::vector<TaskSpec>& specs);

// --strict true or false; `usual` where it is not set. Throws ConfigError.
bool is_strict(const CommandLine& line, bool usual);

}  // namespace protean
