#include "protean/run/run_directory.h"

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"

namespace protean {

namespace fs = std::filesystem;

namespace {

bool try_write(const fs::path& path, const std::string& text) {
  try {
    write_file_atomically(path, text);
    return true;
  } catch (const DataError& e) {
    log_warning(e.what());
    return false;
  }
}

}  // namespace

bool holds_run(const fs::path& folder) {
  std::error_code error;
  for (const char* name :
       {"config.ini", "metrics.jsonl", "summary.json", "checkpoints", "DONE"})
    if (fs::exists(folder / name, error)) return true;
  return false;
}

RunDirectory::RunDirectory(const fs::path& folder, bool resume,
                           LockOptions lock)
    : path_(folder) {
  if (folder.empty())
    throw ConfigError("run.dir is empty; expected a folder for the run");
  std::error_code error;
  // Before the lock: a run that goes on elsewhere is met more often than a
  // running one, and its message helps more.
  const auto refuse_run = [&] {
    if (!resume && holds_run(path_))
      throw ConfigError(
          "run.dir = " + path_.string() +
          " already holds a run; go on with --resume auto, or give another "
          "run.dir");
  };
  refuse_run();
  fs::create_directories(path_, error);
  if (!error && !fs::is_directory(path_, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    throw ConfigError("run.dir = " + path_.string() +
                      ": cannot create folder: " + error.message());
  lock_ = std::make_unique<RunLock>(path_, lock);
  refuse_run();  // another run may have come and gone meanwhile
  resumed_ = holds_run(path_);
  fs::create_directory(checkpoints_path(), error);
  if (error)
    throw ConfigError("run.dir = " + path_.string() +
                      ": cannot create checkpoints/: " + error.message());
}

bool RunDirectory::done() const {
  std::error_code error;
  return fs::exists(path_ / "DONE", error);
}

std::string RunDirectory::stored_config() const {
  std::error_code error;
  if (!fs::exists(config_path(), error)) return "";
  return read_file(config_path());
}

void RunDirectory::write_config(const std::string& text) const {
  if (stored_config() != text) write_file_atomically(config_path(), text);
}

bool RunDirectory::write_summary(const nlohmann::json& summary) const {
  return try_write(
      path_ / "summary.json",
      summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
          "\n");
}

bool RunDirectory::mark_done(int64_t step) const {
  return try_write(path_ / "DONE", concat("step ", step, "\n"));
}

void RunDirectory::clear_done() const {
  std::error_code error;
  fs::remove(path_ / "DONE", error);
  if (error)
    throw DataError((path_ / "DONE").string() +
                    ": cannot remove: " + error.message());
}

}  // namespace protean
