// What a stack costs, learnt from what stacks of its shape have cost.
//
// A task states a static cost (its number of examples). How many seconds a unit
// of it takes differs from shape to shape; the model keeps that ratio per
// shape, smoothed, and the ratio over all shapes for those never seen.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "protean/coordinator/protocol.h"
#include "protean/core/plan.h"

namespace protean {

class CostModel {
 public:
  // Starts from a table that was stored.
  explicit CostModel(const CostTable& start = {});
  // Non-positive and non-finite values are left out.
  void observe(const StackCost& cost);
  // The table as it is now; its version is 1 above the last one's when a ratio
  // has moved by a tenth or a shape is new, else the last table is returned.
  const CostTable& table();

 private:
  struct Ratio {
    double cost = 0, seconds = 0;  // decayed sums
  };
  std::map<uint64_t, Ratio> ratios_;
  CostTable table_;
};

// Sets every stack's cost to its predicted seconds; without a table the static
// costs stay.
void predict_costs(const CostTable& table, std::vector<StackPlan>& stacks);

}  // namespace protean
