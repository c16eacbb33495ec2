// Accuracy and loss over N tasks of a stream, the same on any number of ranks:
// tasks are split in stacks, results are gathered by task index.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "protean/comm/communicator.h"
#include "protean/trainer/experiment.h"

namespace protean {

struct EvalStep {
  double accuracy = 0;  // NaN for regression
  double loss = 0;
  double loss_median = 0;
};

struct EvalResult {
  std::vector<EvalStep> per_step;  // after k inner steps, k = 0 ...
  int64_t tasks = 0;
  double ci95 = 0;  // 1.96 * std / sqrt(tasks) of the accuracy, or of the
                    // loss for regression, after the last step
  int64_t ways = 0, shots = 0, queries = 0;
  bool transductive = false;
  std::vector<double> task_accuracy;  // after the last step, by task index
  std::vector<double> task_loss;
  const EvalStep& last() const { return per_step.back(); }
  nlohmann::json to_json() const;
};

// Collective. The tasks are those of step 0 of the stream, always: every
// validation of a run is on the same ones.
EvalResult evaluate(const Experiment& experiment, Communicator& comm,
                    const MetaView& meta, Stream stream, int64_t tasks);

}  // namespace protean
