#include "protean/core/log.h"

#include <atomic>

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

}  // namespace

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
  const auto [rank, ranks] = who();
  if (level <= LogLevel::info && rank != 0) return;
  std::string line = std::string("[") + name(level) + "] ";
  if (ranks > 1 && level > LogLevel::info)
    line += "rank " + std::to_string(rank) + "/" + std::to_string(ranks) + ": ";
  line += message + "\n";
  // One write keeps the line whole; a log that cannot be written is no reason
  // to end a run.
  [[maybe_unused]] auto n = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace protean
