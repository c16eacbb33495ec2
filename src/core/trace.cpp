#include "protean/core/trace.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "protean/core/log.h"

namespace protean {
namespace {

struct Span {
  int rank;
  const char* track;
  std::string name;
  int64_t begin_us, end_us;
};

std::atomic<bool> g_on{false};
std::mutex g_mutex;
std::deque<Span> g_spans;  // guarded by g_mutex

// Names are our own words; only what breaks a JSON string is left out.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text)
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= ' ') out += c;
  return out + "\"";
}

}  // namespace

void start_trace() { g_on = true; }
bool tracing() { return g_on; }

int64_t trace_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TraceSpan::TraceSpan(const char* track, std::string name)
    : track_(track),
      name_(std::move(name)),
      begin_us_(tracing() ? trace_now() : -1) {}

TraceSpan::~TraceSpan() {
  if (begin_us_ >= 0)
    trace_span(track_, std::move(name_), begin_us_, trace_now());
}

void trace_span(const char* track, std::string name, int64_t begin_us,
                int64_t end_us) {
  if (!tracing()) return;
  std::lock_guard lock(g_mutex);
  if (g_spans.size() == kMostSpans) g_spans.pop_front();
  g_spans.push_back({log_rank(), track, std::move(name), begin_us, end_us});
}

std::string take_trace() {
  std::deque<Span> spans;
  {
    std::lock_guard lock(g_mutex);
    spans.swap(g_spans);
  }
  std::string text;
  for (const auto& s : spans)
    text += "{\"ph\":\"X\",\"pid\":" + std::to_string(s.rank) +
            ",\"tid\":" + quoted(s.track) + ",\"name\":" + quoted(s.name) +
            ",\"ts\":" + std::to_string(s.begin_us) +
            ",\"dur\":" + std::to_string(s.end_us - s.begin_us) + "},\n";
  return text;
}

}  // namespace protean
