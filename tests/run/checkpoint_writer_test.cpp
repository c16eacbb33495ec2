#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/log.h"
#include "protean/run/checkpoint.h"

#include "run/child.h"
#include "run/sample_state.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Quiet, and without a hook when the test ends.
struct Quiet {
  explicit Quiet(FaultHook hook = {}) {
    set_log_level(LogLevel::error);
    set_fault_hook(std::move(hook));
  }
  ~Quiet() {
    set_fault_hook({});
    set_log_level(LogLevel::info);
  }
};

CheckpointOptions quick() {
  CheckpointOptions options;
  options.grace_s = 0;
  options.wait_s = 10;
  return options;
}

}  // namespace

TEST_CASE("the writer stores every state submitted and keeps some", "[run]") {
  TempDir dir;
  CheckpointWriter writer(dir.path(), {}, quick());
  for (int step = 10; step <= 50; step += 10) writer.submit(sample_state(step));
  const auto status = writer.finish();
  CHECK(status.stored);
  CHECK(status.step == 50);
  CHECK(status.path == dir.path() / "step-50");
  CHECK(status.failures == 0);
  CHECK_FALSE(fs::exists(dir.path() / "step-20"));
  for (int step : {30, 40, 50})
    CHECK(same_state(
        load_checkpoint(dir.path() / ("step-" + std::to_string(step))),
        sample_state(step)));
}

TEST_CASE("a checkpoint is due by steps, by seconds or never", "[run]") {
  TempDir dir;
  auto options = quick();
  options.every = 5;
  CHECK(CheckpointWriter(dir.path(), {}, options).due(10));
  CHECK_FALSE(CheckpointWriter(dir.path(), {}, options).due(11));
  options.every = 0;
  CHECK_FALSE(CheckpointWriter(dir.path(), {}, options).due(10));
  options.every_s = 1e-9;
  CHECK(CheckpointWriter(dir.path(), {}, options).due(11));
  options.every_s = 0.2;
  CheckpointWriter writer(dir.path(), {}, options);
  std::this_thread::sleep_for(210ms);
  CHECK(writer.due(11));
  options.every_s = 1000;
  CHECK_FALSE(CheckpointWriter(dir.path(), {}, options).due(11));
}

TEST_CASE("submit returns while the write is in flight", "[run]") {
  TempDir dir;
  std::atomic<bool> hold{true}, reached{false};
  Quiet quiet([&](const char* point) {
    if (std::string(point) != "checkpoint.after_model") return;
    reached = true;
    for (int i = 0; hold && i < 5000; ++i) std::this_thread::sleep_for(1ms);
  });
  auto options = quick();
  options.wait_s = 0.05;
  CheckpointWriter writer(dir.path(), {}, options);
  writer.submit(sample_state(10));
  while (!reached) std::this_thread::sleep_for(1ms);
  CHECK_FALSE(writer.status().stored);
  // The disk hangs: training waits wait_s, no longer, and the newest state is
  // written when the disk is back.
  const auto begin = std::chrono::steady_clock::now();
  writer.submit(sample_state(20));
  writer.submit(sample_state(30));
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  CHECK(writer.status().waited_s >= 0.1);
  CHECK_FALSE(writer.drain().stored);
  hold = false;
  for (int i = 0; i < 200 && !writer.status().stored; ++i) writer.drain();
  CHECK(writer.status().step == 30);
  CHECK(fs::exists(dir.path() / "step-10"));
  CHECK_FALSE(fs::exists(dir.path() / "step-20"));
}

TEST_CASE("a failed write is tried again at the next submit", "[run]") {
  TempDir dir;
  std::atomic<bool> broken{true};
  Quiet quiet([&](const char* point) {
    if (broken && std::string(point) == "checkpoint.after_state")
      throw DataError("No space left on device");
  });
  CheckpointWriter writer(dir.path(), {}, quick());
  writer.submit(sample_state(10));
  auto status = writer.drain();
  CHECK_FALSE(status.stored);
  CHECK(status.failures == 1);
  CHECK(status.error == "No space left on device");
  CHECK(fs::is_empty(dir.path()));
  broken = false;
  writer.submit(sample_state(20));
  status = writer.drain();
  CHECK(status.stored);
  CHECK(status.error.empty());
  CHECK(status.step == 20);
}

TEST_CASE("the last state is tried again for grace_s", "[run]") {
  TempDir dir;
  std::atomic<int> failures{2};
  Quiet quiet([&](const char* point) {
    if (std::string(point) == "checkpoint.after_state" && failures-- > 0)
      throw DataError("No space left on device");
  });
  auto options = quick();
  options.grace_s = 20;
  CheckpointWriter writer(dir.path(), {}, options);
  writer.submit(sample_state(10));
  const auto status = writer.finish();
  CHECK(status.stored);
  CHECK(status.failures == 2);
  CHECK(load_checkpoint(dir.path() / "step-10").step == 10);
}

TEST_CASE("the last state goes to the fallback folder and is found there",
          "[run]") {
  TempDir dir;
  auto options = quick();
  options.fallback_dir = (dir.path() / "spare").string();
  const auto run = dir.path() / "run";
  const auto fallback = fallback_checkpoints(options, run);
  CHECK(fallback.parent_path() == options.fallback_dir);
  CHECK(fallback == fallback_checkpoints(options, run / ""));
  CHECK(fallback != fallback_checkpoints(options, dir.path() / "x" / "run"));
  CHECK(fallback_checkpoints(CheckpointOptions(), run).empty());

  Quiet quiet;
  CheckpointWriter writer(run / "checkpoints", fallback, options);
  writer.submit(sample_state(10));
  CHECK(writer.drain().stored);
  // From here on the run's own folder takes nothing any more.
  fs::rename(run, dir.path() / "away");
  write_file_synced(run, "a file where the folder was");
  writer.submit(sample_state(20));
  const auto status = writer.finish();
  CHECK(status.stored);
  CHECK(status.path == fallback / "step-20");
  fs::remove(run);
  fs::rename(dir.path() / "away", run);
  const auto found = find_newest_valid(run / "checkpoints", fallback);
  REQUIRE(found);
  CHECK(same_state(found->state, sample_state(20)));
}

TEST_CASE("a last state that is stored nowhere is reported", "[run]") {
  TempDir dir;
  Quiet quiet;
  CheckpointWriter writer("/proc/checkpoints", "/proc/spare", quick());
  writer.submit(sample_state(10));
  const auto status = writer.finish();
  CHECK_FALSE(status.stored);
  CHECK(status.step == -1);
  CHECK_THAT(status.error, contains("/proc/checkpoints"));
  CHECK_THAT(status.error, contains("/proc/spare"));
}

TEST_CASE("a file size limit fails the write, not the process", "[run]") {
  TempDir dir;
  const auto child = run_in_child([&]() -> std::string {
    set_log_level(LogLevel::error);
    CheckpointWriter writer(dir.path(), {}, quick());
    writer.submit(sample_state(10));
    if (!writer.drain().stored) return "first: " + writer.status().error;
    const rlimit limit{200, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    writer.submit(sample_state(20));
    auto status = writer.finish();
    if (status.stored) return "stored under the limit";
    const auto error = status.error;
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &none);
    if (fs::exists(dir.path() / "step-20.tmp")) return ".tmp is left";
    if (!writer.finish().stored) return "not stored after the limit";
    return error;
  });
  CHECK_THAT(child.text, contains("step-20.tmp/model.safetensors: cannot "
                                  "write: File too large"));
  CHECK(child.exited(0));
  CHECK(same_state(load_checkpoint(dir.path() / "step-10"), sample_state(10)));
  CHECK(same_state(load_checkpoint(dir.path() / "step-20"), sample_state(20)));
}

TEST_CASE("a full disk costs one checkpoint and nothing else", "[run]") {
  TempDir dir;
  const auto child = run_in_child([&]() -> std::string {
    set_log_level(LogLevel::error);
    // A disk of 256 KiB that only this child sees.
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=256k") != 0)
      return "skipped";
    CheckpointWriter writer(dir.path() / "c", {}, quick());
    writer.submit(sample_state(10));
    if (!writer.drain().stored) return "first: " + writer.status().error;
    writer.submit(sample_state(20, 30000));
    const auto full = writer.finish();
    if (full.stored) return "a full disk stored 1 MB";
    if (fs::exists(dir.path() / "c/step-20.tmp")) return ".tmp is left";
    const auto found = find_newest_valid(dir.path() / "c");
    if (!found || !same_state(found->state, sample_state(10)))
      return "the older checkpoint is gone";
    writer.submit(sample_state(30));
    if (!writer.finish().stored) return "not stored when it fits again";
    return full.error;
  });
  CHECK(child.exited(0));
  if (child.text != "skipped")
    CHECK_THAT(child.text,
               contains("model.safetensors: cannot write: No space left"));
}

TEST_CASE("a kill of the process during the write leaves the older one",
          "[run][fault]") {
  TempDir dir;
  const auto child = run_in_child([&]() -> std::string {
    CheckpointWriter writer(dir.path(), {}, quick());
    writer.submit(sample_state(10));
    writer.drain();
    set_fault_plan("checkpoint.after_manifest:kill");
    writer.submit(sample_state(20));
    writer.drain();
    return "survived";
  });
  CHECK(child.killed_by(SIGKILL));
  const auto found = find_newest_valid(dir.path());
  REQUIRE(found);
  CHECK(same_state(found->state, sample_state(10)));
}
