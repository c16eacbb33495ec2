// Whether a learner can take tasks of other ways than it was trained on.
#pragma once

#include "protean/trainer/evaluate.h"

namespace protean {

// Tries the first task. Throws ConfigError when the learner has fewer outputs
// than the task has classes; `what` names the tasks: "eval.ways".
void check_ways(const Experiment& experiment, const MetaView& meta,
                const EvalTasks& tasks, const std::string& what);

}  // namespace protean
