#include "protean/core/log.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

namespace protean {
namespace {

std::atomic<LogLevel> g_level{LogLevel::info};

struct Rank {
  int rank = 0, ranks = 1;
};
// Of the process, unless a thread is a rank of its own.
std::atomic<Rank> g_rank{Rank{}};
thread_local bool t_is_rank = false;
thread_local Rank t_rank;

// -1: none. Replaced, never closed: another thread may be writing to it.
std::atomic<int> g_file{-1};

Rank who() { return t_is_rank ? t_rank : g_rank.load(); }

const char* name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    default:
      return "error";
  }
}

// "2026-11-21T08:20:16.123Z"
std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      now.time_since_epoch())
                      .count() %
                  1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const auto end = std::strftime(text, sizeof text, "%FT%T.", &parts);
  std::string fraction = std::to_string(1000 + ms);
  return std::string(text, end) + fraction.substr(1) + "Z";
}

// One write keeps the line whole; a log that cannot be written is no reason to
// end a run.
void put(int fd, const std::string& line) {
  [[maybe_unused]] auto n = ::write(fd, line.data(), line.size());
}

void put_to_file(const char* level, const std::string& message) {
  const int fd = g_file;
  if (fd < 0) return;
  put(fd, utc_now() + " rank " + std::to_string(who().rank) + " [" + level +
              "] " + message + "\n");
}

}  // namespace

int log_rank() { return who().rank; }

void set_log_file(const std::string& path) {
  if (path.empty()) {
    g_file = -1;
    return;
  }
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0)
    log_warning(path + ": cannot open: " + std::strerror(errno) +
                "; this rank keeps no log file");
  else
    g_file = fd;
}

void log_to_file(const std::string& message) { put_to_file("detail", message); }

void set_log_level(LogLevel level) { g_level = level; }

void set_log_rank(int rank, int ranks) { g_rank = Rank{rank, ranks}; }

void set_thread_log_rank(int rank, int ranks) {
  t_is_rank = true;
  t_rank = Rank{rank, ranks};
}

void log_shared_warning(const std::string& message) {
  if (who().rank == 0) log_warning(message);
}

void log(LogLevel level, const std::string& message) {
  if (level < g_level) return;
  put_to_file(name(level), message);
  const auto [rank, ranks] = who();
  if (level <= LogLevel::info && rank != 0) return;
  std::string line = std::string("[") + name(level) + "] ";
  const auto me = "rank " + std::to_string(rank) + "/" + std::to_string(ranks);
  // Errors of communicators begin with it.
  if (ranks > 1 && level > LogLevel::info && !message.starts_with(me))
    line += me + ": ";
  line += message + "\n";
  put(STDERR_FILENO, line);
}

}  // namespace protean
