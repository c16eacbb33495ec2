// Everything that a step changes and a checkpoint keeps.
#pragma once

#include <memory>
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
  StepReducer::Exponents exponents{};
  bool has_exponents = false;
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
  // What ranks hold parts of, gathered for a checkpoint on rank 0 (per_rank.h):
  // the optimiser's buffers where they are cut, and each rank's rest of 16-bit
  // gradients.
  std::vector<at::Tensor> whole_buffers;
  std::vector<at::Tensor> residuals;

  uint64_t hash() const;  // of theta and meta-state
};

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

// What a run must keep when it is resumed: kept_values() and, in exact, `bits`
// and the build, which its bits depend on. A JSON object key -> value.
nlohmann::json run_identity(const ConfigValues& kept, const ConfigValues& bits,
                            const std::string& data_checksum);
// Throws ConfigError naming the first key that differs. A key that the stored
// one lacks is newer than its build, and had the default's effect.
void check_identity(const nlohmann::json& stored, const nlohmann::json& now,
                    const ConfigValues& defaults, bool exact);

}  // namespace protean
