// Trains the generator of a run's tasks beside the run, on the same ranks, and
// publishes a new version of it every generator.refresh steps.
//
// A version is kept as an artifact, a checkpoint of the generator's training in
// RUN/generator/version-V, for as long as a checkpoint of the run may need it:
// a run that resumes makes the same tasks and the same later versions.
//
// Every rank has one and makes the same calls; rank 0 writes.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "protean/comm/world.h"
#include "protean/generative/generated_tasks.h"
#include "protean/trainer/experiment.h"
#include "protean/trainer/reduction.h"

#include "trainer/stream_schedule.h"
#include "trainer/training_state.h"

namespace protean {

class GeneratorService {
 public:
  // run: the experiment whose tasks depend on experiment.generator; `step` of
  // its steps are done. Takes up the generator's training where it stood then,
  // and publishes the versions that its next tasks name. Collective; throws
  // ConfigError or DataError naming the folder.
  GeneratorService(const Experiment& run, const StreamSchedule& schedule,
                   World& world, at::Device device, int64_t step);

  // Trains and publishes when a version is due after `step` steps. Collective.
  void step_done(int64_t step);
  // Rank 0, before a checkpoint of the run: what it will need is on disk.
  // False, after a warning, when it is not.
  bool store();

 private:
  std::filesystem::path folder(uint32_t version) const;
  void load(uint32_t version, TrainingState& state) const;
  void publish(uint32_t version, const TrainingState& state) const;
  void train();
  void prune() const;

  const Experiment& run_;
  const StreamSchedule& schedule_;
  World& world_;
  const ReductionOptions reduction_;
  at::Device device_;
  Experiment generator_;  // with the run's way of working
  TrainingState state_;
  // Rank 0: versions that are not on disk yet.
  std::vector<std::pair<uint32_t, CheckpointState>> pending_;
};

}  // namespace protean
