// Log lines to stderr: "[LEVEL] message", with "rank r/n" once ranks are known.
//
// Thread-safe: one write per line, so lines of ranks and threads never mix.
#pragma once

#include <string>

namespace protean {

enum class LogLevel { debug, info, warning, error };

// Set once at start; lines below the level are dropped. Default info.
void set_log_level(LogLevel level);
// With ranks > 1 every line carries the rank; info and debug come from rank 0
// only.
void set_log_rank(int rank, int ranks);
// The same for the calling thread alone: threads that act as ranks.
void set_thread_log_rank(int rank, int ranks);

void log(LogLevel level, const std::string& message);
inline void log_info(const std::string& m) { log(LogLevel::info, m); }
// A warning that every rank would give: rank 0 gives it.
void log_shared_warning(const std::string& message);
inline void log_warning(const std::string& m) { log(LogLevel::warning, m); }
inline void log_error(const std::string& m) { log(LogLevel::error, m); }

}  // namespace protean
