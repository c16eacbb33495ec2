// Checkpoints: all that a run needs to go on with the same bits.
//
// A checkpoint is a folder, step-N, within the run's checkpoints/:
//
//   model.safetensors      theta by parameter name; meta-state as state/NAME
//   optimizer.safetensors  each theta-sized buffer as BUFFER/PARAMETER
//   state.json             step, layouts, counters, the trainer's own values
//   manifest.json          sizes and CRC32C of the files above; written last
//
// Nothing in it depends on the number of ranks. It is written as step-N.tmp,
// every file synced, the folder synced, renamed to step-N, checkpoints/ synced,
// and then `latest` ("step-N\n") is replaced. So a folder named step-N is whole
// unless the disk lost something later, which sizes and checksums reveal. One
// process writes to a checkpoints/ folder at a time (the run's lock,
// run_directory.h).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/core/parameter_space.h"

namespace protean {

struct CheckpointOptions {
  // checkpoint.every: steps between checkpoints; 0 = only the last one. The
  // writer works beside the training, so small models can afford less.
  int64_t every = 500;
  // checkpoint.every_s: also when so many seconds have passed since the last
  // one; 0 = off.
  double every_s = 0;
  // checkpoint.keep: how many are kept, beside the following; >= 1.
  int keep = 3;
  // checkpoint.keep_best: of those with the best validations.
  int keep_best = 1;
  // checkpoint.keep_every: also those of steps that this divides; 0 = off.
  int64_t keep_every = 0;
  // checkpoint.wait_s: longest that training waits for the write before this
  // one; then it goes on, and the newer state is written when that is done.
  double wait_s = 60;
  // checkpoint.grace_s: how long the last checkpoint is tried again at the end
  // of a run when its write fails (disk full, ...).
  double grace_s = 30;
  // checkpoint.fallback_dir: where the last checkpoint goes when grace_s is
  // over; resuming looks there too. Empty = nowhere. Runs may share it.
  std::string fallback_dir;
};

// Throws ConfigError naming the key, the value and what was expected.
void validate(const CheckpointOptions& options);

struct CheckpointState {
  int64_t step = 0;  // meta-steps done
  ParameterSpace theta_space, state_space;
  std::vector<float> theta;  // (theta_space.size())
  std::vector<float> state;  // (state_space.size())
  std::vector<std::string> optimiser_names;
  std::vector<std::vector<float>> optimiser_buffers;  // each (theta.size())
  int64_t optimiser_updates = 0;
  // Steps whose checkpoints stay for their validations, best first.
  std::vector<int64_t> best_steps;
  // The trainer's own: best validation, reduction scales, counters, config,
  // seed. Comes back bit by bit, except that NaN and infinities become null.
  nlohmann::json extra = nlohmann::json::object();
};

// SHA-256 of the flat float32 theta; of the meta-state and then the optimiser
// buffers in order.
std::string theta_sha256(std::span<const float> theta);
std::string theta_sha256(const CheckpointState& state);
std::string state_sha256(const CheckpointState& state);

// Hash of both layouts, as it stands in the manifest: 16 hex digits.
std::string layout_hash(const ParameterSpace& theta,
                        const ParameterSpace& state);
// First difference of two layouts in words, "" when they are equal.
std::string layout_difference(const ParameterSpace& stored,
                              const ParameterSpace& expected);

// Writes checkpoints/step-N and points `latest` to it; a step-N that is there
// is replaced. Creates `checkpoints` when it is missing. Throws DataError
// naming the file and the cause; then no checkpoint that was there is touched
// and no .tmp folder is left. Returns the folder.
std::filesystem::path save_checkpoint(const CheckpointState& state,
                                      const std::filesystem::path& checkpoints);

// Reads one step-N folder. Every byte of it is checked; throws DataError naming
// the file and what is wrong with it.
CheckpointState load_checkpoint(const std::filesystem::path& folder);

struct FoundCheckpoint {
  std::filesystem::path folder;
  CheckpointState state;
};

// The newest checkpoint that is whole, in `checkpoints` or, when that is not
// empty, in `fallback`. Each broken one met before it is named in one warning
// line with its reason, as is a `latest` that names nothing. nullopt when there
// is none at all; DataError when there are some and all are broken, since
// starting again would overwrite what may be repaired.
//
// Newest goes by step, not by `latest`, which a crash between the last two
// steps of a save leaves one behind. To go back to an older one, remove the
// newer.
std::optional<FoundCheckpoint> find_newest_valid(
    const std::filesystem::path& checkpoints,
    const std::filesystem::path& fallback = {});

// Steps of the checkpoints there, newest first; whether they are whole is not
// looked at.
std::vector<int64_t> checkpoint_steps(const std::filesystem::path& checkpoints);

// Removes all but what the options keep. Never the one that `latest` names, or
// those of later steps (of a run that was set back).
void prune_checkpoints(const std::filesystem::path& checkpoints,
                       const CheckpointOptions& options,
                       const std::vector<int64_t>& best_steps);

// Removes those of `step` and later steps, from which a run could not go on.
void drop_checkpoints_from(const std::filesystem::path& checkpoints,
                           int64_t step);

// The part of options.fallback_dir that belongs to one run: two runs with
// different folders never meet. Empty when the option is.
std::filesystem::path fallback_checkpoints(
    const CheckpointOptions& options, const std::filesystem::path& run_dir);

struct CheckpointStatus {
  bool stored = true;  // the last state submitted is on disk
  int64_t step = -1;   // newest step on disk from this writer; -1 = none
  std::filesystem::path path;  // its folder
  std::string error;           // why the last state is not on disk
  int64_t failures = 0;        // writes that failed, over the whole run
  double write_s = 0;          // duration of the last write
  double waited_s = 0;         // time that submit() made its callers wait
};

// Writes checkpoints from a thread of its own, one at a time.
//
// A write that fails is warned about once, with its cause, and training goes
// on; the next submit() tries again with its newer state, and finish() with the
// last one. Use from one thread.
class CheckpointWriter {
 public:
  // `checkpoints` is <run.dir>/checkpoints; `fallback` as above or empty.
  CheckpointWriter(std::filesystem::path checkpoints,
                   std::filesystem::path fallback, CheckpointOptions options);
  // Waits up to wait_s for the write in flight; a write that hangs longer is
  // left behind. Logs a state that was not stored.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Whether options.every or every_s asks for a checkpoint after `step` steps.
  bool due(int64_t step) const;
  // Takes the state and returns at once, or, while an earlier write is in
  // flight, when that is done (at most wait_s).
  void submit(CheckpointState state);
  // Waits (at most wait_s) until nothing is in flight.
  CheckpointStatus drain();
  // Drains; while the last state is not stored, tries again for grace_s, then
  // once in the fallback folder. A stop whose last state is not stored here
  // must not claim to be resumable.
  CheckpointStatus finish();
  CheckpointStatus status() const;

 private:
  struct Shared;  // with the thread, which may outlive a hung write
  bool wait_idle(double seconds);

  CheckpointOptions options_;
  std::filesystem::path fallback_;
  std::shared_ptr<Shared> shared_;
  double last_submit_ = 0;  // steady seconds
  double waited_s_ = 0;
};

}  // namespace protean
