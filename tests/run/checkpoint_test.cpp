#include "protean/run/checkpoint.h"

#include <cmath>
#include <csignal>
#include <fstream>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/log.h"
#include "protean/run/safetensors.h"

#include "run/child.h"
#include "run/sample_state.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;
namespace fs = std::filesystem;

namespace {

const char* const kFiles[] = {"model.safetensors", "optimizer.safetensors",
                              "state.json", "manifest.json"};

void overwrite(const fs::path& path, const std::string& bytes) {
  write_file_synced(path, bytes);
}

std::string load_message(const fs::path& folder) {
  try {
    load_checkpoint(folder);
    return "accepted";
  } catch (const DataError& e) {
    return e.what();
  }
}

int64_t newest_step(const fs::path& dir, const fs::path& fallback = {}) {
  set_log_level(LogLevel::error);  // its warnings are expected here
  const auto found = find_newest_valid(dir, fallback);
  set_log_level(LogLevel::info);
  if (!found) return -1;
  CHECK(same_state(found->state, sample_state(found->state.step)));
  return found->state.step;
}

bool has_leftovers(const fs::path& dir) {
  for (const auto& entry : fs::directory_iterator(dir)) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(".tmp") || name.ends_with(".replaced")) return true;
  }
  return false;
}

// Removes the hook when a test ends by an exception, too.
struct HookGuard {
  explicit HookGuard(FaultHook hook) { set_fault_hook(std::move(hook)); }
  ~HookGuard() { set_fault_hook({}); }
};

CheckpointOptions keeping(int last, int64_t every = 0) {
  CheckpointOptions options;
  options.keep = last;
  options.keep_every = every;
  return options;
}

}  // namespace

TEST_CASE("a checkpoint comes back bit by bit", "[run]") {
  TempDir dir;
  const auto state = sample_state(10);
  const auto folder = save_checkpoint(state, dir.path() / "checkpoints");
  CHECK(folder == dir.path() / "checkpoints" / "step-10");
  CHECK(same_state(load_checkpoint(folder), state));
  CHECK(read_file(dir.path() / "checkpoints/latest") == "step-10\n");
  for (const char* name : kFiles) CHECK(fs::exists(folder / name));
  CHECK_FALSE(has_leftovers(dir.path() / "checkpoints"));

  // The names that other programs see.
  const Safetensors model(read_file(folder / "model.safetensors"), "model");
  CHECK(model.find("body.conv.weight")->shape == std::vector<int64_t>{7, 3});
  CHECK(model.find("state/norm.mean"));
  const Safetensors optimizer(read_file(folder / "optimizer.safetensors"), "o");
  CHECK(optimizer.find("m/head.weight"));
  CHECK(optimizer.find("v/body.scale"));
}

TEST_CASE("a checkpoint without meta-state and optimiser loads", "[run]") {
  TempDir dir;
  CheckpointState state;
  state.theta_space.add("w", {2});
  state.theta = {1, 2};
  CHECK(same_state(load_checkpoint(save_checkpoint(state, dir.path())), state));
}

TEST_CASE("hashes cover theta, and state with optimiser in order", "[run]") {
  CheckpointState s;
  s.theta = {1.0f};
  // sha256 of 00 00 80 3f
  CHECK(theta_sha256(s) ==
        "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c");
  s.state = {1.0f};
  CHECK(state_sha256(s) == theta_sha256(s));
  s.state.clear();
  s.optimiser_buffers = {{1.0f}};
  CHECK(state_sha256(s) == theta_sha256(s));
  s.optimiser_buffers = {{1.0f}, {2.0f}};
  const auto one = state_sha256(s);
  s.optimiser_buffers = {{2.0f}, {1.0f}};
  CHECK(state_sha256(s) != one);
}

TEST_CASE("a difference of layouts is put in words", "[run]") {
  ParameterSpace a, b;
  a.add("x", {2});
  b.add("x", {2});
  CHECK(layout_difference(a, b) == "");
  CHECK(layout_hash(a, {}) == layout_hash(b, {}));
  b.add("y", {3, 4});
  CHECK(layout_hash(a, {}) != layout_hash(b, {}));
  CHECK(layout_difference(a, b) ==
        "parameter 1 is nothing in the checkpoint, y [3,4] in this run");
}

TEST_CASE("a buffer of the wrong size is not stored", "[run]") {
  TempDir dir;
  auto state = sample_state(10);
  state.theta.pop_back();
  CHECK_THROWS_WITH(save_checkpoint(state, dir.path()),
                    contains("step 10: theta has 26 values, expected 27"));
  state = sample_state(10);
  state.optimiser_buffers[1].push_back(0);
  CHECK_THROWS_WITH(save_checkpoint(state, dir.path()),
                    contains("optimiser buffer v has 28"));
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("every truncation of every file is found", "[run][fault]") {
  TempDir dir;
  save_checkpoint(sample_state(10), dir.path());
  const auto folder = save_checkpoint(sample_state(20), dir.path());
  for (const char* name : kFiles) {
    const auto whole = read_file(folder / name);
    for (size_t size :
         {size_t{0}, size_t{1}, whole.size() / 2, whole.size() - 1}) {
      overwrite(folder / name, whole.substr(0, size));
      INFO(name << " cut to " << size << " of " << whole.size());
      CHECK_THAT(load_message(folder), contains(name));
      CHECK(newest_step(dir.path()) == 10);
    }
    fs::remove(folder / name);
    CHECK_THAT(load_message(folder), contains(name));
    CHECK(newest_step(dir.path()) == 10);
    overwrite(folder / name, whole + "x");
    CHECK_THAT(load_message(folder), contains(name));
    overwrite(folder / name, whole);
  }
  CHECK(newest_step(dir.path()) == 20);
}

TEST_CASE("one flipped bit at any byte of any file is found", "[run][fault]") {
  TempDir dir;
  const auto folder = save_checkpoint(sample_state(20), dir.path());
  for (const char* name : kFiles) {
    const auto whole = read_file(folder / name);
    size_t accepted = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
      auto bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
      std::ofstream(folder / name, std::ios::binary) << bytes;
      accepted += load_message(folder) == "accepted";
    }
    INFO(name);
    CHECK(accepted == 0);
    overwrite(folder / name, whole);
  }
  CHECK(load_message(folder) == "accepted");
}

TEST_CASE("a checkpoint of another format or step is refused", "[run]") {
  TempDir dir;
  const auto folder = save_checkpoint(sample_state(20), dir.path());
  fs::rename(folder, dir.path() / "step-30");
  CHECK_THAT(load_message(dir.path() / "step-30"), contains("holds step 20"));
  // Any other name is a copy that somebody made.
  fs::rename(dir.path() / "step-30", dir.path() / "copy");
  CHECK(load_message(dir.path() / "copy") == "accepted");
  auto text = read_file(dir.path() / "copy/manifest.json");
  const auto at = text.find("\"version\":1");
  REQUIRE(at != std::string::npos);
  text[at + 10] = '2';
  overwrite(dir.path() / "copy/manifest.json", text);
  CHECK_THAT(load_message(dir.path() / "copy"),
             contains("format version 2, this program reads 1"));
}

TEST_CASE("latest may be stale, missing, empty or wrong", "[run][fault]") {
  TempDir dir;
  CHECK(newest_step(dir.path()) == -1);
  CHECK(newest_step(dir.path() / "missing") == -1);
  save_checkpoint(sample_state(10), dir.path());
  save_checkpoint(sample_state(20), dir.path());
  for (const char* text : {"step-10\n", "step-20\n", "step-99\n", "", "\n",
                           "../step-10\n", "step-", "step-20.tmp\n"}) {
    overwrite(dir.path() / "latest", text);
    CHECK(newest_step(dir.path()) == 20);
  }
  fs::remove(dir.path() / "latest");
  CHECK(newest_step(dir.path()) == 20);
  fs::create_directory(dir.path() / "latest");
  CHECK(newest_step(dir.path()) == 20);
}

TEST_CASE("what a killed save leaves is never used and goes away",
          "[run][fault]") {
  TempDir dir;
  save_checkpoint(sample_state(10), dir.path());
  fs::copy(dir.path() / "step-10", dir.path() / "step-90.tmp");
  fs::create_directory(dir.path() / "step-007");  // not a name of ours
  fs::create_directory(dir.path() / "step-x");
  CHECK(newest_step(dir.path()) == 10);
  save_checkpoint(sample_state(20), dir.path());
  CHECK_FALSE(has_leftovers(dir.path()));
  CHECK(newest_step(dir.path()) == 20);
}

TEST_CASE("broken checkpoints without a valid one are an error",
          "[run][fault]") {
  TempDir dir;
  const auto folder = save_checkpoint(sample_state(10), dir.path());
  fs::remove(folder / "manifest.json");
  set_log_level(LogLevel::error);
  CHECK_THROWS_WITH(find_newest_valid(dir.path()),
                    contains("none of 1 checkpoints is valid"));
  set_log_level(LogLevel::info);
}

TEST_CASE("a kill at any point of a save leaves a valid checkpoint",
          "[run][fault]") {
  // The points are those that saves really pass, so a new one is covered.
  std::vector<std::string> points;
  {
    TempDir dir;
    HookGuard hook([&](const char* point) { points.emplace_back(point); });
    save_checkpoint(sample_state(10), dir.path());
    CHECK(points.size() >= 9);
    save_checkpoint(sample_state(20), dir.path());
    save_checkpoint(sample_state(20), dir.path());  // replaces
    prune_checkpoints(dir.path(), keeping(1), {});
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
  }
  for (const auto& point : points) {
    TempDir dir;
    INFO("killed at " << point);
    save_checkpoint(sample_state(10), dir.path());
    // Once on the way to step 20, once while replacing it.
    for (int round = 0; round < 2; ++round) {
      const auto child = run_in_child([&]() -> std::string {
        set_fault_plan(point + ":kill");
        save_checkpoint(sample_state(20), dir.path());
        prune_checkpoints(dir.path(), keeping(1), {});
        return "survived";
      });
      const bool reached = child.text.empty();
      if (reached) CHECK(child.killed_by(SIGKILL));
      // On the first round nothing is replaced.
      CHECK((reached || point == "checkpoint.between_renames" || round == 1));
      const auto step = newest_step(dir.path());
      CHECK((step == 10 || step == 20));
      if (round == 1 || point == "checkpoint.after_rename") CHECK(step == 20);
      // The next process goes on as if nothing had been.
      save_checkpoint(sample_state(20), dir.path());
      CHECK(newest_step(dir.path()) == 20);
      CHECK_FALSE(has_leftovers(dir.path()));
    }
  }
}

TEST_CASE("an error at any point of a save leaves what was there",
          "[run][fault]") {
  std::vector<std::string> points;
  TempDir dir;
  save_checkpoint(sample_state(10), dir.path());
  {
    HookGuard hook([&](const char* point) { points.emplace_back(point); });
    save_checkpoint(sample_state(10), dir.path());
  }
  for (const auto& point : points) {
    HookGuard hook([&](const char* at) {
      if (at == point) throw DataError("disk on fire");
    });
    INFO(point);
    CHECK_THROWS_WITH(save_checkpoint(sample_state(10), dir.path()),
                      contains("disk on fire"));
    CHECK_FALSE(fs::exists(dir.path() / "step-10.tmp"));
    CHECK(load_checkpoint(dir.path() / "step-10").step == 10);
    CHECK(newest_step(dir.path()) == 10);
  }
}

TEST_CASE("pruning keeps the last, the best and what latest names", "[run]") {
  TempDir dir;
  for (int step : {10, 20, 30, 40, 50})
    save_checkpoint(sample_state(step), dir.path());
  const auto there = [&](int step) {
    return fs::exists(dir.path() / concat("step-", step));
  };
  prune_checkpoints(dir.path(), keeping(2), {20});
  CHECK_FALSE(there(10));
  CHECK(there(20));
  CHECK_FALSE(there(30));
  CHECK((there(40) && there(50)));
  // Set back to step 20: later ones are not its own to remove.
  overwrite(dir.path() / "latest", "step-20\n");
  prune_checkpoints(dir.path(), keeping(1), {});
  CHECK((there(20) && there(40) && there(50)));
  overwrite(dir.path() / "latest", "step-50\n");
  prune_checkpoints(dir.path(), keeping(1, 20), {});
  CHECK((there(20) && there(40) && there(50)));
  prune_checkpoints(dir.path(), keeping(1, 40), {});
  CHECK((!there(20) && there(40) && there(50)));
  CHECK_FALSE(has_leftovers(dir.path()));
}

TEST_CASE("fault plans are parsed in full or refused", "[run]") {
  for (const char* bad : {"a", "a:", ":kill", "a:burn", "a:kill:", "a:kill:0",
                          "a:kill:x", "a:throw,b"})
    CHECK_THROWS_AS(set_fault_plan(bad), ConfigError);
  set_fault_plan("a:throw:2,b:throw");
  fault_point("a");
  CHECK_THROWS_WITH(fault_point("b"), contains("b: injected fault"));
  CHECK_THROWS_AS(fault_point("a"), DataError);
  fault_point("a");  // once
  set_fault_plan("");
  const auto exited = run_in_child([] {
    set_fault_plan("x:exit");
    fault_point("x");
    return std::string();
  });
  CHECK(exited.exited(3));
  const auto killed = run_in_child([] {
    ::setenv("PROTEAN_FAULT", "x:kill:2", 1);
    arm_faults();
    fault_point("x");
    arm_faults();  // counts on
    fault_point("x");
    return std::string("survived");
  });
  CHECK(killed.killed_by(SIGKILL));
}

TEST_CASE("impossible checkpoint options are refused by name", "[run]") {
  CheckpointOptions options;
  validate(options);
  options.keep = 0;
  CHECK_THROWS_WITH(validate(options),
                    contains("checkpoint.keep = 0; expected at least 1"));
  options = {};
  options.every = -1;
  CHECK_THROWS_AS(validate(options), ConfigError);
  options = {};
  options.grace_s = std::nan("");
  CHECK_THROWS_WITH(validate(options), contains("checkpoint.grace_s"));
}
