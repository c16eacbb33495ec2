#include "protean/run/run_directory.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"

#include "run/child.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Quiet {
  Quiet() { set_log_level(LogLevel::error); }
  ~Quiet() { set_log_level(LogLevel::info); }
};

std::string message(const std::function<void()>& function) {
  try {
    function();
    return "accepted";
  } catch (const ConfigError& e) {
    return e.what();
  }
}

std::string open_message(const fs::path& folder, bool resume = false) {
  return message([&] { RunDirectory run(folder, resume); });
}

// As if the lock had been touched `seconds` ago.
void age(const fs::path& path, time_t seconds) {
  const timespec t{::time(nullptr) - seconds, 0};
  const timespec times[] = {t, t};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

nlohmann::json lock_entry(const fs::path& folder) {
  return nlohmann::json::parse(read_file(folder / "lock"));
}

}  // namespace

TEST_CASE("a run directory holds the files scripts rely on", "[run]") {
  TempDir dir;
  const auto path = dir.path() / "a" / "run";
  {
    RunDirectory run(path, false);
    CHECK_FALSE(run.resumed());
    CHECK_FALSE(run.done());
    CHECK(run.stored_config() == "");
    CHECK(fs::is_directory(path / "checkpoints"));
    CHECK(run.lock_held());
    run.write_config("[run]\n");
    run.write_summary({{"steps", 10}});
    run.mark_done(10);
    CHECK(read_file(path / "config.ini") == "[run]\n");
    CHECK(nlohmann::json::parse(read_file(path / "summary.json"))["steps"] ==
          10);
    CHECK(read_file(path / "DONE") == "step 10\n");
  }
  CHECK_FALSE(fs::exists(path / "lock"));
  RunDirectory again(path, true);
  CHECK(again.resumed());
  CHECK(again.done());
  CHECK(again.stored_config() == "[run]\n");
  again.clear_done();
  CHECK_FALSE(again.done());
}

TEST_CASE("a full disk spoils neither the end nor the resume of a run",
          "[run][fault]") {
  TempDir dir;
  const auto child = run_in_child([&]() -> std::string {
    set_log_level(LogLevel::error);
    ::signal(SIGXFSZ, SIG_IGN);
    RunDirectory(dir.path(), false).write_config("[run]\n");
    RunDirectory run(dir.path(), true);
    const rlimit none{0, RLIM_INFINITY};  // no file may grow
    ::setrlimit(RLIMIT_FSIZE, &none);
    run.write_config("[run]\n");
    if (run.write_summary({{"steps", 10}})) return "summary written";
    if (run.mark_done(10) || run.done()) return "DONE written";
    run.write_config("[run]\nsteps = 1\n");
    return "config written";
  });
  CHECK_THAT(child.text, contains("threw: ") && contains("config.ini"));
  CHECK(read_file(dir.path() / "config.ini") == "[run]\n");
  CHECK_FALSE(fs::exists(dir.path() / "summary.json"));
}

TEST_CASE("a folder that holds a run is refused without resume", "[run]") {
  TempDir dir;
  for (const char* name :
       {"config.ini", "metrics.jsonl", "summary.json", "DONE"}) {
    const auto path = dir.path() / (std::string("with-") + name);
    fs::create_directory(path);
    write_file_synced(path / name, "");
    const auto text = open_message(path);
    CHECK_THAT(text, contains("run.dir = " + path.string()));
    CHECK_THAT(text, contains("already holds a run"));
    CHECK_THAT(text, contains("--resume auto"));
    CHECK(open_message(path, true) == "accepted");
  }
  // Nothing is left in a folder that was refused.
  CHECK_FALSE(fs::exists(dir.path() / "with-DONE" / "lock"));
  // Other files, and a new folder with resume, are fine.
  write_file_synced(dir.path() / "notes.txt", "");
  CHECK(open_message(dir.path()) == "accepted");
  CHECK(open_message(dir.path() / "new", true) == "accepted");
}

TEST_CASE("a run.dir that cannot be written to is named", "[run]") {
  TempDir dir;
  for (const char* path : {"/proc/run", "/proc/1/run", "/proc", "/dev/null",
                           "/dev/null/run", "/sys/kernel/run"}) {
    INFO(path);
    CHECK_THAT(open_message(path), contains(std::string("run.dir = ") + path));
  }
  CHECK_THAT(open_message(""), contains("run.dir is empty"));
  // As another user would find it; root may write anywhere.
  if (::getuid() == 0) {
    fs::permissions(dir.path(), fs::perms(0555));
    const auto child = run_in_child([&] {
      if (::setuid(65534) != 0) return std::string("cannot become nobody");
      return open_message(dir.path() / "x") + "|" + open_message(dir.path());
    });
    fs::permissions(dir.path(), fs::perms(0700));
    CHECK_THAT(child.text, contains("/x: cannot create folder: Permission"));
    CHECK_THAT(child.text, contains("cannot be written to"));
  }
}

TEST_CASE("two runs do not share a directory", "[run][fault]") {
  TempDir dir;
  RunDirectory run(dir.path(), false);
  CHECK(lock_entry(dir.path())["pid"] == ::getpid());
  const auto text = open_message(dir.path(), true);
  CHECK_THAT(text, contains("in use by another run"));
  CHECK_THAT(text, contains("process " + std::to_string(::getpid())));
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  CHECK_THAT(text, contains(std::string("host ") + host));
  CHECK(run.lock_held());
  // Nothing of the refused one is left.
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(dir.path()))
    ++files;
  CHECK(files == 2);  // lock, checkpoints
}

TEST_CASE("the lock of a killed process is taken over", "[run][fault]") {
  TempDir dir;
  Quiet quiet;
  const auto child = run_in_child([&]() -> std::string {
    RunDirectory run(dir.path(), false);
    ::kill(::getpid(), SIGKILL);
    return "survived";
  });
  CHECK(child.killed_by(SIGKILL));
  REQUIRE(fs::exists(dir.path() / "lock"));
  CHECK(lock_entry(dir.path())["pid"] != ::getpid());
  RunDirectory run(dir.path(), true);
  CHECK(lock_entry(dir.path())["pid"] == ::getpid());
  CHECK(run.lock_held());
}

TEST_CASE("a process id used again is not the old holder", "[run]") {
  TempDir dir;
  Quiet quiet;
  nlohmann::json entry;
  {
    RunLock lock(dir.path());
    entry = lock_entry(dir.path());
  }
  entry["process_start"] = "1";  // this very id, long ago
  write_file_synced(dir.path() / "lock", entry.dump());
  RunLock lock(dir.path());
  CHECK(lock_entry(dir.path())["process_start"] != "1");
}

TEST_CASE("a lock from elsewhere holds while it is touched", "[run]") {
  TempDir dir;
  Quiet quiet;
  const nlohmann::json entry = {{"host", "node17"},
                                {"pid", 4711},
                                {"machine", "elsewhere"},
                                {"job", "99"},
                                {"restart", ""}};
  const auto path = dir.path() / "lock";
  write_file_synced(path, entry.dump());
  CHECK_THAT(message([&] { RunLock lock(dir.path()); }),
             contains("host node17, process 4711, job 99"));
  age(path, 50);
  CHECK_THAT(message([&] { RunLock lock(dir.path()); }), contains("node17"));
  age(path, 70);
  CHECK(message([&] { RunLock lock(dir.path()); }) == "accepted");

  // An earlier start of the same Slurm job is over by definition.
  write_file_synced(path, entry.dump());
  const auto requeued = run_in_child([&] {
    ::setenv("SLURM_JOB_ID", "99", 1);
    ::setenv("SLURM_RESTART_COUNT", "1", 1);
    return message([&] { RunLock lock(dir.path()); });
  });
  CHECK(requeued.text == "accepted");

  // What a crash of the file system left of a lock.
  write_file_synced(path, "");
  CHECK_THAT(message([&] { RunLock lock(dir.path()); }),
             contains("unknown process"));
  age(path, 70);
  CHECK(message([&] { RunLock lock(dir.path()); }) == "accepted");
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("a held lock is touched and notices its loss", "[run]") {
  TempDir dir;
  const auto path = dir.path() / "lock";
  RunLock lock(dir.path(), {0.01, 60});
  age(path, 1000);
  struct stat info;
  time_t touched = 0;
  for (int i = 0; i < 500 && touched < ::time(nullptr) - 100; ++i) {
    std::this_thread::sleep_for(10ms);
    ::stat(path.c_str(), &info);
    touched = info.st_mtim.tv_sec;
  }
  CHECK(touched >= ::time(nullptr) - 100);
  CHECK(lock.held());
  fs::rename(path, dir.path() / "moved");
  CHECK_FALSE(lock.held());
}

TEST_CASE("of many processes that find a stale lock one gets it",
          "[run][fault]") {
  TempDir dir;
  write_file_synced(dir.path() / "lock", "{}");
  age(dir.path() / "lock", 1000);
  int outcome[2], release[2];
  REQUIRE(::pipe(outcome) == 0);
  REQUIRE(::pipe(release) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(30);
      ::close(outcome[0]);
      ::close(release[1]);
      set_log_level(LogLevel::error);
      char result = 'r';
      try {
        RunLock lock(dir.path());
        [[maybe_unused]] auto n = ::write(outcome[1], "w", 1);
        // Until every other one has tried.
        n = ::read(release[0], &result, 1);
        ::_exit(lock.held() ? 0 : 1);
      } catch (const ConfigError&) {
        [[maybe_unused]] auto n = ::write(outcome[1], "r", 1);
        ::_exit(2);
      }
    }
    children.push_back(pid);
  }
  ::close(outcome[1]);
  ::close(release[0]);
  std::string results;
  for (char c; results.size() < 8 && ::read(outcome[0], &c, 1) == 1;)
    results += c;
  ::close(release[1]);
  ::close(outcome[0]);
  int held = 0;
  for (pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    held += WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  std::sort(results.begin(), results.end());
  CHECK(results == "rrrrrrrw");
  CHECK(held == 1);
}
