// What sources of tasks of N classes have in common.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/plan.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

// A description with the same counts for every class, and nothing else yet. A
// function family is one class.
TaskSpec describe_nway(TaskId id, const TaskCounts& counts);

// Its shape, for examples of this one.
TaskShape shape_nway(const TaskSpec& spec, const std::vector<int64_t>& input);

// images: (N, K + Q, ...) float, contiguous, on the host; the first K of each
// class are its support.
void fill_nway(const at::Tensor& images, const TaskSpec& spec, EpisodeView out);

}  // namespace protean
