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
// Of the calling thread.
int log_rank();
// From now on a copy of every line goes to the end of this file too, with its
// time (UTC) and rank, also those that this rank does not print. "" ends it. A
// file that cannot be opened is a warning.
void set_log_file(const std::string& path);

void log(LogLevel level, const std::string& message);
inline void log_info(const std::string& m) { log(LogLevel::info, m); }
// For the file alone: what helps to find a fault afterwards.
void log_to_file(const std::string& message);
// A warning that every rank would give: rank 0 gives it.
void log_shared_warning(const std::string& message);
inline void log_warning(const std::string& m) { log(LogLevel::warning, m); }
inline void log_error(const std::string& m) { log(LogLevel::error, m); }

}  // namespace protean
