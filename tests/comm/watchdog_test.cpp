#include "comm/watchdog.h"

#include <chrono>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.h"

namespace protean {
namespace {

TEST_CASE("a watchdog that is called off in time does nothing", "[comm]") {
  Watchdog watchdog("rank 0/1 on here", "MPI_Init", 60);
}

TEST_CASE("a watchdog ends a process that hangs, with one line", "[comm]") {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    Watchdog watchdog("rank 3/8 on node-b", "MPI_Init", 0.05, 7);
    std::this_thread::sleep_for(std::chrono::seconds(20));
    _exit(0);
  }
  ::close(pipe[1]);
  std::string text;
  char buffer[256];
  for (ssize_t n; (n = ::read(pipe[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(text ==
        "[error] rank 3/8 on node-b: MPI_Init not done in 0.05 s; giving up\n");
}

}  // namespace
}  // namespace protean
