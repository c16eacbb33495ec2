// The folder of one run: config.ini, metrics.jsonl, summary.json, checkpoints/,
// DONE, and a lock that keeps a second run out.
//
// Only rank 0 holds one. It is opened when everything else has been validated,
// so a mistyped option leaves no folder behind.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

namespace protean {

struct LockOptions {
  double heartbeat_s = 5;  // how often a holder touches its lock
  double stale_s = 60;     // silence after which a holder elsewhere is dead
};

// The file `lock` within a folder, naming who holds it: host, process, job.
//
// Held from construction to destruction. A thread touches the file every
// heartbeat_s. A lock whose process runs on this machine keeps the folder; one
// of a process that is gone from this machine, or of an earlier start of this
// very Slurm job, is taken over at once; one from elsewhere (another host or
// container, where processes cannot be seen) when it was not touched for
// stale_s. Taking over logs one line. Throws ConfigError naming host and
// process of the holder, or the path when the folder cannot be written to.
class RunLock {
 public:
  explicit RunLock(const std::filesystem::path& folder,
                   LockOptions options = {});
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // False when another process took the folder over, which happens when this
  // one was suspended for longer than stale_s: it must stop writing then.
  bool held() const;

 private:
  struct Heart;
  std::filesystem::path path_;
  std::unique_ptr<Heart> heart_;
};

// Whether the folder holds a run: any of the files below is in it.
bool holds_run(const std::filesystem::path& folder);

class RunDirectory {
 public:
  // Creates the folder (and its parents), or goes on in the run it holds when
  // `resume` is set, and locks it. Throws ConfigError when it holds a run and
  // `resume` is not set, when another run has locked it, or when it cannot be
  // created or written to.
  RunDirectory(const std::filesystem::path& folder, bool resume,
               LockOptions lock = {});

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config_path() const { return path_ / "config.ini"; }
  std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path checkpoints_path() const {
    return path_ / "checkpoints";
  }

  // The folder held a run when it was opened.
  bool resumed() const { return resumed_; }
  // The run it held had ended; cleared by clear_done().
  bool done() const;
  // Resolved config of the run it held, "" when there is none.
  std::string stored_config() const;

  // Whole or not at all; throws DataError. A text that stands there already is
  // not written again, so a run goes on from a full disk.
  void write_config(const std::string& text) const;
  // After the work is done: a failure is a warning and false, since it must not
  // turn a finished or resumable run into a failed one.
  bool write_summary(const nlohmann::json& summary) const;
  bool mark_done(int64_t step) const;
  void clear_done() const;  // throws DataError

  bool lock_held() const { return lock_->held(); }

 private:
  std::filesystem::path path_;
  bool resumed_ = false;
  std::unique_ptr<RunLock> lock_;
};

}  // namespace protean
