#include "protean/core/log.h"

#include <atomic>

#include <unistd.h>

namespace protean {
namespace {

std::atomic<LogLevel> g_level{LogLevel::info};
std::atomic<int> g_rank{0};
std::atomic<int> g_ranks{1};

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

void set_log_rank(int rank, int ranks) {
  g_rank = rank;
  g_ranks = ranks;
}

void log(LogLevel level, const std::string& message) {
  if (level < g_level) return;
  if (level <= LogLevel::info && g_rank != 0) return;
  std::string line = std::string("[") + name(level) + "] ";
  if (g_ranks > 1 && level > LogLevel::info)
    line +=
        "rank " + std::to_string(g_rank) + "/" + std::to_string(g_ranks) + ": ";
  line += message + "\n";
  // One write keeps the line whole; a log that cannot be written is no reason
  // to end a run.
  [[maybe_unused]] auto n = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace protean
