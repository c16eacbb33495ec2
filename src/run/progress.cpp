#include "protean/run/progress.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <poll.h>
#include <sys/ioctl.h>

#include "protean/core/error.h"

namespace protean {
namespace {

constexpr double kMemory = 30;  // seconds

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

// 75 -> "1:15", 4000 -> "1:06:40", 200000 -> "2d 7:33:20"
std::string duration(double seconds) {
  const auto s = static_cast<long long>(std::min(seconds, 1e9) + 0.5);
  char text[64];
  if (s >= 86400)
    std::snprintf(text, sizeof text, "%lldd %lld:%02lld:%02lld", s / 86400,
                  s / 3600 % 24, s / 60 % 60, s % 60);
  else if (s >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600,
                  s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
  return text;
}

double fraction(int64_t step, int64_t steps) {
  if (steps <= 0) return 1;
  return std::clamp(double(step) / double(steps), 0.0, 1.0);
}

std::string values(const ProgressSample& sample, int64_t steps, double left_s) {
  std::string text = std::to_string(sample.step) + "/" + std::to_string(steps) +
                     format(" (%.1f%%)", 100 * fraction(sample.step, steps));
  if (!std::isnan(sample.loss)) text += format(" loss %.4f", sample.loss);
  if (!std::isnan(sample.accuracy))
    text += format(" accuracy %.1f%%", 100 * sample.accuracy);
  if (!std::isnan(sample.tasks_per_s))
    text += format(sample.tasks_per_s < 10 ? " %.2f tasks/s" : " %.0f tasks/s",
                   sample.tasks_per_s);
  if (left_s >= 0) text += ", " + duration(left_s) + " left";
  return text;
}

double steady_now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_terminal(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) && !(term && std::strcmp(term, "dumb") == 0);
}

int terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                : 80;
}

}  // namespace

std::string progress_line(const ProgressSample& sample, int64_t steps,
                          double left_s) {
  return "step " + values(sample, steps, left_s);
}

std::string progress_bar(const ProgressSample& sample, int64_t steps,
                         double left_s, int width) {
  auto text = values(sample, steps, left_s);
  const auto columns = static_cast<size_t>(std::max(width, 0));
  if (text.size() >= columns) return text.substr(0, columns);
  // Brackets and a blank; a bar of less than eight cells says nothing.
  const auto room = columns - text.size();
  if (room < 11) return text;
  const auto cells = std::min<size_t>(room - 3, 40);
  const auto full = static_cast<size_t>(fraction(sample.step, steps) *
                                        static_cast<double>(cells));
  std::string bar(cells, ' ');
  bar.replace(0, full, full, '=');
  if (full < cells) bar[full] = '>';
  return concat("[", bar, "] ", text);
}

Progress::Progress(int64_t steps, bool quiet)
    : Progress(
          steps,
          {.style = quiet ? ProgressStyle::quiet : ProgressStyle::automatic},
          steady_now()) {}

Progress::Progress(int64_t steps, ProgressOptions options, double now)
    : options_(options), steps_(steps), updated_(now) {
  if (options_.style == ProgressStyle::automatic)
    options_.style =
        is_terminal(options_.fd) ? ProgressStyle::bar : ProgressStyle::lines;
}

Progress::~Progress() { finish(); }

void Progress::update(int64_t step, double loss, double accuracy,
                      int64_t tasks) {
  update(step, loss, accuracy, tasks, steady_now());
}

void Progress::update(int64_t step, double loss, double accuracy, int64_t tasks,
                      double now) {
  if (options_.style == ProgressStyle::quiet) return;
  // The first update is of one step, wherever a resumed run starts.
  const double done = any_ ? double(step - last_.step) : 1.0;
  const double passed = std::max(0.0, now - updated_);
  const double weight = std::exp(-passed / kMemory);
  recent_s_ = weight * recent_s_ + passed;
  recent_steps_ = weight * recent_steps_ + done;
  updated_ = now;
  const double speed = recent_s_ > 0 ? recent_steps_ / recent_s_ : 0;
  last_ = {step, loss, accuracy, speed > 0 ? speed * double(tasks) : NAN};
  left_s_ =
      speed > 0 ? double(std::max<int64_t>(0, steps_ - step)) / speed : -1;
  const double pause = options_.style == ProgressStyle::bar ? options_.redraw_s
                                                            : options_.every_s;
  const bool due = !any_ || now - shown_ >= pause;
  any_ = pending_ = true;
  if (due) draw();
}

void Progress::draw() {
  shown_ = updated_;
  pending_ = false;
  if (options_.style == ProgressStyle::lines) {
    write(progress_line(last_, steps_, left_s_) + "\n");
    return;
  }
  // One column stays free: a full line would wrap on some terminals.
  write(concat(
      "\r",
      progress_bar(last_, steps_, left_s_, terminal_width(options_.fd) - 1),
      "\x1b[K"));
  drawn_ = true;
}

void Progress::note(const std::string& text) {
  if (options_.style == ProgressStyle::quiet) return;
  const bool redraw = drawn_;
  clear();
  write(text + "\n");
  if (redraw) draw();
}

void Progress::clear() {
  if (!drawn_) return;
  write("\r\x1b[K");
  drawn_ = false;
  pending_ = true;
}

void Progress::finish() {
  if (pending_) draw();
  if (drawn_) write("\n");
  drawn_ = false;
}

void Progress::write(const std::string& text) {
  pollfd ready{options_.fd, POLLOUT, 0};
  if (::poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) return;
  [[maybe_unused]] auto n = ::write(options_.fd, text.data(), text.size());
}

}  // namespace protean
