// What reaches standard error and the log file, line by line.
#include "protean/core/log.h"

#include <functional>
#include <regex>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

// What a thread that is this rank writes to standard error.
std::string told(int rank, int ranks, const std::function<void()>& body) {
  TempDir dir;
  const auto file = dir.path() / "err";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  const int own = ::dup(STDERR_FILENO);
  ::dup2(fd, STDERR_FILENO);
  std::thread([&] {
    set_thread_log_rank(rank, ranks);
    body();
  }).join();
  ::dup2(own, STDERR_FILENO);
  ::close(own);
  ::close(fd);
  return read_file(file);
}

void one_of_each() {
  log(LogLevel::debug, "d");
  log_info("i");
  log_warning("w");
  log_error("e");
}

}  // namespace

TEST_CASE("information comes from rank 0 alone, trouble from every rank",
          "[core]") {
  CHECK(told(0, 1, one_of_each) == "[info] i\n[warning] w\n[error] e\n");
  CHECK(told(0, 3, one_of_each) ==
        "[info] i\n[warning] rank 0/3: w\n[error] rank 0/3: e\n");
  CHECK(told(2, 3, one_of_each) ==
        "[warning] rank 2/3: w\n[error] rank 2/3: e\n");
  CHECK(told(2, 3, [] { log_error("rank 2/3, step 7: late"); }) ==
        "[error] rank 2/3, step 7: late\n");
}

TEST_CASE("a warning that concerns all ranks comes once", "[core]") {
  const auto warn = [] { log_shared_warning("w"); };
  CHECK(told(0, 3, warn) == "[warning] rank 0/3: w\n");
  CHECK(told(1, 3, warn) == "");
}

TEST_CASE("a level leaves out what is below it", "[core]") {
  set_log_level(LogLevel::warning);
  const auto loud = told(0, 1, one_of_each);
  set_log_level(LogLevel::debug);
  const auto all = told(0, 1, one_of_each);
  set_log_level(LogLevel::info);
  CHECK(loud == "[warning] w\n[error] e\n");
  CHECK(all == "[debug] d\n[info] i\n[warning] w\n[error] e\n");
}

TEST_CASE("a log file has every rank's lines with time and rank", "[core]") {
  TempDir dir;
  const auto file = dir.path() / "rank-2.log";
  set_log_file(file);
  told(2, 3, [] {
    log_info("i");
    log_to_file("f");
  });
  set_log_file("");
  told(2, 3, [] { log_warning("afterwards"); });
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)";
  CHECK(std::regex_match(read_file(file),
                         std::regex(time + R"( rank 2 \[info\] i\n)" + time +
                                    R"( rank 2 \[detail\] f\n)")));
}
