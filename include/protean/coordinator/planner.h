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

// What the planner needs to know of one task of the meta-batch.
struct TaskCost {
  uint64_t shape_key = 0;
  float cost = 1;  // arbitrary unit
};

// Tasks of equal shape, in index order, stacks of at most `stack_limit`. The
// stacks of one shape differ by at most one task: 10 tasks by 4 are 4 + 3 + 3.
// Ordered by their first task.
std::vector<StackPlan> cut_stacks(const std::vector<TaskCost>& tasks,
                                  int64_t stack_limit);

// Longest first onto the rank with the least load; ties go to the lower stack
// and the lower rank, so equal costs are dealt round-robin. Ranks below `first`
// get nothing.
void choose_owners(std::vector<StackPlan>& stacks, int ranks, int first = 0);

}  // namespace protean
