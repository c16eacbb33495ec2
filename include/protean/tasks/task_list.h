// Frozen tasks: a list that names every class and example, so that others, or
// other learners, are judged on exactly the same tasks.
//
// A text file, one JSON object per line. The first says what the list is:
//   {"format": "protean task list", "version": 1, "data": SHA-256 of the
//    examples, "tasks": N}
// and each other one is a task:
//   {"index": 0, "stream": 2, "step": 0, "classes": ["Greek/character01", ...],
//    "transforms": [quarter turns per class], "support": [1, ...],
//    "query": [15, ...], "examples": [[3, 17, ...], ...], "hash": of these,
//    "latent": [...]}
// with the support examples of a class before its queries. Tasks whose examples
// of one label come from several classes (task.domain) list classes, transforms
// and examples example by example. Function families have no classes and make
// their points of "latent" and the task's numbers.
#pragma once

#include <filesystem>
#include <vector>

#include "protean/core/plan.h"
#include "protean/tasks/open_tasks.h"

namespace protean {

// Whole or not at all. `sources` gave the specs.
void write_task_list(const std::filesystem::path& path,
                     const TaskSources& sources,
                     const std::vector<TaskSpec>& specs);

// In the list's order. Other data with the same examples will do. Throws
// DataError naming file, line, value and what was expected; ConfigError when
// the list was made from other examples than `sources` has.
std::vector<TaskSpec> read_task_list(const std::filesystem::path& path,
                                     const TaskSources& sources);

}  // namespace protean
