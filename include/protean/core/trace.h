// Who did what when: spans of time that Perfetto or chrome://tracing shows, a
// process per rank and a line per kind of work.
//
// Nothing is kept before start_trace(); then a span costs two readings of the
// clock and a lock. Memory is bounded: of more than kMostSpans the newest stay.
// Times are those of the wall clock, so ranks on hosts whose clocks differ are
// shifted against each other by as much. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace protean {

constexpr size_t kMostSpans = size_t{1} << 14;

void start_trace();
bool tracing();

// From construction to destruction, on the rank of this thread (log.h).
class TraceSpan {
 public:
  // track: "step", "comm", "tasks", "checkpoint"; lives for ever, as a literal
  // does.
  TraceSpan(const char* track, std::string name);
  ~TraceSpan();
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

 private:
  const char* track_;
  std::string name_;
  int64_t begin_us_;  // < 0: not tracing
};

// Microseconds of the wall clock.
int64_t trace_now();
// A span that is over.
void trace_span(const char* track, std::string name, int64_t begin_us,
                int64_t end_us);

// The spans of this process in the Trace Event Format: JSON objects, a line and
// a comma each. They are forgotten here.
std::string take_trace();

}  // namespace protean
