// What a learner predicts for one task, given in memory.
#pragma once

#include <string>

#include "protean/experiment/experiment.h"
#include "protean/tasks/stored_tasks.h"

namespace protean {

// Adapts to the task's support examples; for its query examples (q, N) scores
// or (q, d) values after the last step, in double. N may be more than the
// task's classes. Labels and values of the query are not looked at. Throws as
// check_tasks(), naming `what`.
at::Tensor predict_task(const Experiment& experiment, const MetaView& meta,
                        StoredTask task, const std::string& what);

}  // namespace protean
