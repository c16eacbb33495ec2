// Accuracy and loss over a list of tasks, the same on any number of ranks:
// tasks are split in stacks, results are gathered by task index.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "protean/comm/communicator.h"
#include "protean/experiment/experiment.h"
#include "protean/trainer/calibration.h"

namespace protean {

// Whether the softmax over what the learner predicts for classes is what its
// training made a probability. Of relation, siamese and nearest neighbours only
// the greatest score means something.
bool gives_probabilities(const Experiment& experiment);

// What is evaluated on; `source` makes the tasks that the specs name.
struct EvalTasks {
  TaskSourcePtr source;
  std::vector<TaskSpec> specs;  // at least one
};

// Tasks 0 ... count - 1 of step 0 of a source.
EvalTasks draw_tasks(TaskSourcePtr source, uint64_t seed, Stream stream,
                     int64_t count);
// The first `count` tasks of step 0 of the stream, always: every validation of
// a run is on the same ones. Throws ConfigError when its split has no class.
EvalTasks stream_tasks(const Experiment& experiment, Stream stream,
                       int64_t count);

// After k inner steps; means over tasks.
struct EvalStep {
  double accuracy = 0;  // NaN for regression
  double loss = 0;
  double loss_median = 0;
  // By task index; accuracy is empty for regression.
  std::vector<double> task_accuracy, task_loss;
};

struct EvalResult {
  std::vector<EvalStep> per_step;  // k = 0 ...
  int64_t tasks = 0;
  double ci95 = 0;  // interval95() of the accuracy, or of the loss for
                    // regression, after the last step
  double ece = 0;   // calibration error after the last step; NaN for regression
                    // and, as all losses, where scores are no probabilities
  int64_t ways = 0, shots = 0, queries = 0;  // of the first task; real shots
  int64_t generated_shots = 0;               // beside these, per class
  int64_t labels = 1;                        // of one example; more for text
  bool transductive = false;
  bool acts = false;            // in an environment: losses are minus returns
  bool visits_support = false;  // as Learner::visits_support()
  const EvalStep& last() const { return per_step.back(); }
  double loss_ci95() const;        // as ci95, of the last loss, always
  nlohmann::json to_json() const;  // without the single tasks
};

// Collective: every rank gives the same tasks.
EvalResult evaluate(const Experiment& experiment, Communicator& comm,
                    const MetaView& meta, const EvalTasks& tasks);

}  // namespace protean
