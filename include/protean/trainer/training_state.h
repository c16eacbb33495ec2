// Everything that a step changes and a checkpoint keeps.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protean/comm/communicator.h"
#include "protean/coordinator/protocol.h"
#include "protean/experiment/experiment.h"
#include "protean/learners/outer_step.h"
#include "protean/run/checkpoint.h"
#include "protean/trainer/reduction.h"

namespace protean {

struct TrainingState {
  int64_t step = 0;  // meta-steps done
  MetaView meta;     // float32, on the run's device
  std::unique_ptr<OuterStep> outer;
  std::optional<StepReducer::Exponents> exponents;  // none before a step
  int64_t tasks_seen = 0;
  // The best validations so far, best first: those whose checkpoints stay.
  struct Validated {
    double score = 0;  // higher is better: accuracy, or minus loss
    int64_t step = 0;
  };
  std::vector<Validated> best;
  int64_t validations_without_gain = 0;
  CostTable costs;                     // of the coordinator
  std::vector<int64_t> levels_raised;  // see curriculum.h
  int64_t setbacks = 0;  // returns to a checkpoint after a divergence
  // Over all calls of train() that led here, in seconds, and the steps that
  // were timed so: fewer than `step` where an older build made some.
  struct Spent {
    int64_t steps = 0;
    double wall_s = 0;
    double validate_s = 0;
    double store_s = 0;  // what training waited for checkpoints
  };
  Spent spent;
  nlohmann::json validation;  // the last one, for the summary; null: none yet
  // What ranks hold parts of, gathered for a checkpoint on rank 0 (per_rank.h):
  // the optimiser's buffers where they are cut, and each rank's rest of 16-bit
  // gradients.
  std::vector<at::Tensor> whole_buffers;
  std::vector<at::Tensor> residuals;

  // Visits what a checkpoint keeps beside its tensors, its step and the number
  // of updates, by name: a field that is added here is stored, loaded and
  // broadcast. Older checkpoints lack the newer ones, which then keep their
  // defaults.
  template <typename Visitor>
  void each(Visitor&& visit) {
    visit("exponents", exponents);
    visit("tasks_seen", tasks_seen);
    visit("best", best);
    visit("validations_without_gain", validations_without_gain);
    visit("costs", costs);
    visit("levels_raised", levels_raised);
    visit("setbacks", setbacks);
    visit("spent", spent);
    visit("validation", validation);
  }

  uint64_t hash() const;  // of theta and meta-state, on the host
};

// The first step's: the experiment's initial values, on the device.
TrainingState initial_state(const Experiment& experiment, at::Device device);

// Snapshot in host memory; `extra` gets what the fields of a checkpoint lack.
CheckpointState to_checkpoint(const TrainingState& state,
                              const MetaSpaces& spaces,
                              const nlohmann::json& identity);
// The other way round; throws ConfigError when the layouts differ.
void from_checkpoint(const CheckpointState& stored, const MetaSpaces& spaces,
                     TrainingState& state);

// Rank 0's state becomes everybody's (collective).
void broadcast(TrainingState& state, Communicator& comm);

}  // namespace protean
