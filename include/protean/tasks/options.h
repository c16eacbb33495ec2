// What the user says about tasks: section `task` of the configuration.
#pragma once

#include <cstdint>

namespace protean {

struct TaskOptions {
  uint32_t ways = 5;         // task.ways: classes per task
  uint32_t shots = 1;        // task.shots: support examples per class; for a
                             // function family: support points
  uint32_t queries = 15;     // task.queries: query examples per class; for a
                             // function family: query points
  uint32_t meta_batch = 32;  // task.meta_batch: tasks per meta-step, all ranks
  uint32_t stack = 0;  // task.stack: tasks computed on together; 0 = automatic
};

}  // namespace protean
