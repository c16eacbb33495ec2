// Trains the generator of a run's tasks beside the run and publishes a new
// version of it every generator.refresh steps.
//
// It trains on all ranks, between two steps of the run; or, with
// coordinator.dedicated, on rank 0 alone, on a thread of its own while the
// others make the steps until the version's first tasks are prepared. In exact
// both come to the same bits.
//
// A version is kept as an artifact, a checkpoint of the generator's training in
// RUN/generator/version-V, for as long as a checkpoint of the run may need it:
// a run that resumes makes the same tasks and the same later versions.
//
// Every rank has one and makes the same calls; rank 0 writes.
#pragma once

#include <atomic>
#include <exception>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "protean/comm/world.h"
#include "protean/experiment/experiment.h"
#include "protean/generative/generated_tasks.h"
#include "protean/trainer/reduction.h"
#include "protean/trainer/training_state.h"

namespace protean {

class GeneratorService {
 public:
  // run: the experiment whose tasks depend on its generator; `step` of its
  // steps are done. Takes up the generator's training where it stood then,
  // and publishes the versions that its next tasks name. Collective; throws
  // ConfigError or DataError naming the folder.
  GeneratorService(const Experiment& run, World& world, at::Device device,
                   int64_t step);
  ~GeneratorService();

  // Trains and publishes when a version is due after `step` steps. Collective.
  void step_done(int64_t step);
  // Rank 0, before a checkpoint of the run: what it will need is on disk.
  // False, after a warning, when it is not.
  bool store();

 private:
  std::filesystem::path folder(uint32_t version) const;
  void load(uint32_t version, TrainingState& state) const;
  void publish(uint32_t version, const TrainingState& state) const;
  // One version's training, over the ranks of comm.
  void train(Communicator& comm);
  // The same on a thread of rank 0; begin() starts it there.
  void begin();
  void wait();
  // state_ is this version now, on every rank.
  void made(uint32_t version);
  // Rank 0: for the next store().
  void keep(uint32_t version);
  void prune() const;

  const Experiment& run_;
  World& world_;
  const ReductionOptions reduction_;
  at::Device device_;
  Experiment generator_;  // with the run's way of working
  TrainingState state_;
  const bool apart_;      // rank 0 trains alone
  uint32_t awaited_ = 0;  // the version that it trains; 0: none
  std::thread trainer_;
  std::atomic<bool> stop_{false};
  std::exception_ptr error_;
  // Rank 0: versions that are not on disk yet, and the last one of all.
  std::vector<std::pair<uint32_t, CheckpointState>> pending_;
  uint32_t kept_ = 0;
};

}  // namespace protean
