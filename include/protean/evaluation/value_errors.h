// How far predicted values are from what they should be, in the target's unit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/trainer/evaluate.h"

namespace protean {

struct ValueErrors {
  std::string target;  // its column
  int64_t rows = 0;
  // NaN without rows.
  double rmse = 0, mae = 0;
  // 1 - squared errors / squared deviations from the mean of these rows; NaN
  // when they are all equal.
  double r2 = 0;
};

ValueErrors errors_of(std::string target, const std::vector<double>& predicted,
                      const std::vector<double>& known);
nlohmann::json to_json(const ValueErrors& errors);

// Over the queries of all tasks, for each target of a run on a table of
// numbers; nothing for other runs. On one rank.
std::vector<ValueErrors> value_errors(const Experiment& experiment,
                                      const MetaView& meta,
                                      const EvalTasks& tasks);

}  // namespace protean
