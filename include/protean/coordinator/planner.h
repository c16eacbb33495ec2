// Cuts a meta-batch into stacks and chooses their owners.
//
// Pure functions: every rank may compute the plan of any step. The cut depends
// on the tasks alone, never on the number of ranks, so neither does any stack;
// only owners depend on it.
#pragma once

#include <cstdint>
#include <vector>

#include "protean/core/plan.h"

namespace protean {

// Stacks of at most `limit` tasks, ordered by their first task, each in index
// order. A stack costs its examples, padding included, and `overhead` examples
// for being one.
//
// overhead = 0: tasks of equal shape alone meet. The stacks of one shape differ
// by at most one task: 10 tasks by 4 are 4 + 3 + 3.
// Otherwise tasks that are alike are padded to the least shape that holds a
// stack's, where that costs less than stacks of their own: sorted by size, the
// cut into runs of neighbours whose cost is the least there is.
struct CutOptions {
  int64_t limit = 4;     // task.stack
  int64_t overhead = 0;  // task.stack_overhead
};
std::vector<StackPlan> cut_stacks(const std::vector<TaskShape>& tasks,
                                  const CutOptions& options);

// Longest first onto the rank with the least load; ties go to the lower stack
// and the lower rank, so equal costs are dealt round-robin. Ranks below `first`
// get nothing.
void choose_owners(std::vector<StackPlan>& stacks, int ranks, int first = 0);

}  // namespace protean
