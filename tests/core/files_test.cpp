// New folders, injected faults, spans and signals: what is there afterwards.
#include <csignal>

#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/new_folder.h"
#include "protean/core/signals.h"
#include "protean/core/trace.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

namespace fs = std::filesystem;

size_t entries(const fs::path& dir) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(dir), fs::directory_iterator()));
}

// The exit code of a process that does this.
int code_of(void (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    install_signal_handlers();
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a file that cannot be written leaves the old one alone", "[core]") {
  TempDir dir;
  const auto path = dir.path() / "file";
  write_file_atomically(path, "old");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string why;
  try {
    write_file_atomically(path, std::string(100, 'x'));
  } catch (const DataError& e) {
    why = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(why.find("cannot write") != std::string::npos);
  CHECK(read_file(path) == "old");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("a new folder is there as a whole or not at all", "[core]") {
  TempDir dir;
  const auto out = dir.path() / "deep" / "out";
  {
    NewFolder folder(out, "--out");
    folder.write("a.txt", "one");
  }
  CHECK(entries(dir.path() / "deep") == 0);
  {
    NewFolder folder(out.string() + "/", "--out");
    folder.write("a.txt", "one");
    CHECK_FALSE(fs::exists(out));
    folder.finish();
  }
  CHECK(read_file(out / "a.txt") == "one");
  CHECK(entries(dir.path() / "deep") == 1);
  CHECK_THROWS_WITH(
      NewFolder(out, "--out"),
      contains("--out " + out.string() + ": exists; expected a new folder"));
}

TEST_CASE("an injected fault happens at its visit and no other", "[core]") {
  set_fault_plan("here:throw:2");
  fault_point("there");
  CHECK_NOTHROW(fault_point("here"));
  CHECK_THROWS_WITH(fault_point("here"), contains("here: injected fault"));
  CHECK_NOTHROW(fault_point("here"));
  set_fault_plan("");
  for (const char* bad : {"here", "here:jump", "here:throw:0", "here:throw:"})
    CHECK_THROWS_AS(set_fault_plan(bad), ConfigError);
}

TEST_CASE("a span has its beginning and its length", "[core]") {
  trace_span("step", "too early", 1, 2);
  start_trace();
  trace_span("step", "one \"two\"", 100, 350);
  auto text = take_trace();
  REQUIRE(text.ends_with(",\n"));
  text.resize(text.size() - 2);
  const auto span = nlohmann::json::parse(text);
  CHECK(span["ph"] == "X");
  CHECK(span["tid"] == "step");
  CHECK(span["name"] == "one two");
  CHECK(span["ts"] == 100);
  CHECK(span["dur"] == 250);
  CHECK(take_trace().empty());
}

TEST_CASE("a first SIGTERM asks, a second one ends", "[core]") {
  CHECK(code_of([] {
          ::raise(SIGTERM);
          if (!stop_requested()) ::_exit(1);
        }) == 0);
  CHECK(code_of([] {
          ::raise(SIGUSR1);
          ::raise(SIGUSR1);
          ::raise(SIGTERM);
        }) == 0);
  CHECK(code_of([] {
          ::raise(SIGTERM);
          ::raise(SIGTERM);
        }) == 128 + SIGTERM);
}

TEST_CASE("after a lost peer the first SIGTERM ends", "[core]") {
  CHECK(code_of([] {
          set_peer_lost();
          ::raise(SIGTERM);
        }) == 128 + SIGTERM);
}
