// What rank 0 holds of a run on disk: its folder, its checkpoints, its metrics.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "protean/run/checkpoint.h"
#include "protean/run/event_file.h"
#include "protean/run/metrics_log.h"
#include "protean/run/progress.h"
#include "protean/run/run_directory.h"
#include "protean/trainer/trainer.h"
#include "protean/trainer/training_state.h"

#include "trainer/setbacks.h"

namespace protean {

class RunFiles {
 public:
  // Takes the run's folder and, when there is something to go on from, its
  // state into `state`. Nothing is created before everything else was checked.
  // Throws ConfigError or DataError.
  RunFiles(const Experiment& experiment, const RunContext& context,
           const Setbacks& setbacks, const nlohmann::json& identity,
           TrainingState& state);

  // The step of the checkpoint that the run goes on from, and its folder; -1
  // and
  // "" when it begins.
  int64_t resumed_from() const { return resumed_from_; }
  const std::string& resumed_folder() const { return resumed_folder_; }
  // It had ended, with all steps that are asked for: nothing was changed, and
  // nothing is to be written.
  bool complete() const { return !writer_; }
  // As the run that ended left it; {} where it is lost.
  nlohmann::json stored_summary() const;

  RunDirectory& folder() { return *folder_; }
  CheckpointWriter& writer() { return *writer_; }
  // A line of metrics.jsonl, and of the event file where there is one.
  void record(const nlohmann::json& line);
  Progress& progress() { return *progress_; }

 private:
  void restore(const std::string& run_dir);

  const Experiment& experiment_;
  const RunContext& context_;
  const nlohmann::json& identity_;
  TrainingState& state_;
  int64_t resumed_from_ = -1;
  std::string resumed_folder_;
  std::unique_ptr<RunDirectory> folder_;
  std::unique_ptr<CheckpointWriter> writer_;
  std::unique_ptr<MetricsLog> metrics_;
  std::unique_ptr<EventFile> events_;  // null: not asked for
  std::unique_ptr<Progress> progress_;
};

}  // namespace protean
