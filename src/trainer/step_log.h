// What metrics.jsonl says of training steps: means over the steps since the
// last line.
#pragma once

#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "protean/trainer/step_objective.h"
#include "protean/trainer/training_state.h"

namespace protean {

class StepLog {
 public:
  explicit StepLog(const Experiment& experiment);

  // NaN for regression.
  double accuracy(const StepTotals& totals) const {
    return classes_ ? totals.accuracy : NAN;
  }
  // After each step, with what this rank spent in it.
  void add(const StepTimes& times);
  bool empty() const { return steps_ == 0; }  // no step since the last line
  // The line of the last step; the next one counts from here. `state` is after
  // the step; losses: of the step, the learner's first one is "loss".
  nlohmann::json take(const TrainingState& state, const StepTotals& totals,
                      const std::vector<double>& losses, uint32_t held_back);
  // Training begins, or goes on after it waited for something.
  void restart();

 private:
  const Experiment& experiment_;
  bool classes_;  // classification, not regression
  StepTimes window_;
  int64_t steps_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace protean
