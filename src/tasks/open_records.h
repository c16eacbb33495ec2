// The task sources of data.source = records.
#pragma once

#include "protean/tasks/open_tasks.h"

namespace protean {

// As open_tasks().
TaskSources open_records(const DataOptions& data, const TaskOptions& task,
                         const TaskCounts& eval);

}  // namespace protean
