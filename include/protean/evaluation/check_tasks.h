// Whether a learner can take tasks of other ways or shots than it was made for.
#pragma once

#include "protean/trainer/evaluate.h"

namespace protean {

// Tries the first task. Throws ConfigError when the learner has fewer outputs
// than the task has classes, or models one class and a task has several, or
// other shots than evaluation's; `what` names the tasks: "eval.ways".
void check_tasks(const Experiment& experiment, const MetaView& meta,
                 const EvalTasks& tasks, const std::string& what);

}  // namespace protean
