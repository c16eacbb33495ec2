#include "protean/run/progress.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>

#include "support/catch.h"

using namespace protean;

namespace {

// Both ends of a pipe; what was written to it so far.
struct Pipe {
  Pipe() {
    if (::pipe2(ends, O_NONBLOCK) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::string read() {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<size_t>(n));
    return text;
  }
  int ends[2];
};

ProgressOptions to(int fd, ProgressStyle style) {
  ProgressOptions options;
  options.fd = fd;
  options.style = style;
  return options;
}

// The clock of these tests: starts well after any real one.
constexpr double kBegin = 1e9;

}  // namespace

TEST_CASE("progress is told in one line", "[run]") {
  const ProgressSample sample{1200, 1.03214, 0.5432, 812.4};
  CHECK(progress_line(sample, 60000, 1145) ==
        "step 1200/60000 (2.0%) loss 1.0321 accuracy 54.3% 812 tasks/s, "
        "19:05 left");
  CHECK(progress_line({5, 2, NAN, 0.5}, 0, -1) ==
        "step 5/0 (100.0%) loss 2.0000 0.50 tasks/s");
  CHECK_THAT(progress_line(sample, 60000, 4000), contains(", 1:06:40 left"));
  CHECK_THAT(progress_line(sample, 60000, 200000),
             contains(", 2d 7:33:20 left"));
}

TEST_CASE("a bar never exceeds the width", "[run]") {
  const ProgressSample sample{30, 1, 0.5, 800};
  for (int width = -1; width < 200; ++width)
    CHECK(progress_bar(sample, 60, 10, width).size() <=
          static_cast<size_t>(std::max(width, 0)));
  CHECK(progress_bar({30, NAN, NAN, NAN}, 60, -1, 26) ==
        "[=====>    ] 30/60 (50.0%)");
  CHECK(progress_bar({60, NAN, NAN, NAN}, 60, -1, 27) ==
        "[==========] 60/60 (100.0%)");
}

TEST_CASE("outside a terminal lines come every so often", "[run]") {
  Pipe pipe;
  {
    Progress progress(1000, to(pipe.ends[1], ProgressStyle::automatic), kBegin);
    progress.update(1, 1, NAN, 32, kBegin);
    CHECK_THAT(pipe.read(), contains("step 1/1000"));
    for (int i = 1; i < 100; ++i)
      progress.update(1 + i, 1, NAN, 32, kBegin + 0.1 * i);
    CHECK(pipe.read() == "");
    progress.update(101, 1, NAN, 32, kBegin + 10);
    CHECK_THAT(pipe.read(), contains("step 101/1000"));
    progress.update(102, 1, NAN, 32, kBegin + 10.1);
  }
  // The end is shown whenever it comes, once.
  CHECK_THAT(pipe.read(), contains("step 102/1000") && contains(" left\n"));
}

TEST_CASE("the time left follows the speed", "[run]") {
  Pipe pipe;
  auto options = to(pipe.ends[1], ProgressStyle::lines);
  options.every_s = 0;
  Progress progress(1000, options, kBegin);
  const auto last = [&] {
    const auto text = pipe.read();
    return text.substr(text.rfind("step"));
  };
  // A resumed run's own speed counts, not the steps done before: 2 per second.
  double now = kBegin;
  for (int i = 1; i <= 100; ++i)
    progress.update(500 + i, 1, NAN, 32, now += 0.5);
  CHECK_THAT(last(),
             contains("step 600/1000") && contains(" 64 tasks/s, 3:20 left"));
  // One per second from here on; after minutes the start is forgotten.
  for (int i = 1; i <= 300; ++i) progress.update(600 + i, 1, NAN, 32, now += 1);
  CHECK_THAT(last(),
             contains("step 900/1000") && contains(" 32 tasks/s, 1:40 left"));
}

TEST_CASE("a terminal gets one line, redrawn at most ten times a second",
          "[run]") {
  int terminal = -1, program = -1;
  const winsize size{24, 60, 0, 0};
  if (::openpty(&terminal, &program, nullptr, nullptr, &size) != 0) {
    WARN("no pseudo-terminals here");
    return;
  }
  ::fcntl(terminal, F_SETFL, O_NONBLOCK);
  const auto read = [&] {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(terminal, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<size_t>(n));
    return text;
  };
  Progress progress(1000, to(program, ProgressStyle::bar), kBegin);
  size_t drawn = 0;
  for (int i = 0; i < 1000; ++i) {  // one second
    progress.update(1 + i, 1, 0.5, 32, kBegin + 0.001 * i);
    const auto text = read();
    drawn += !text.empty();
    if (!text.empty()) {
      CHECK(text.front() == '\r');
      CHECK(text.ends_with("\x1b[K"));
      CHECK(text.size() <= 1 + 59 + 3);
      CHECK(text.find('\n') == std::string::npos);
    }
  }
  CHECK(drawn >= 9);
  CHECK(drawn <= 11);
  progress.note("validated");
  CHECK_THAT(read(), contains("\r\x1b[Kvalidated") && contains("\x1b[K"));
  progress.clear();
  CHECK(read() == "\r\x1b[K");
  progress.finish();
  CHECK_THAT(read(), contains("1000/1000") && contains("\n"));
  ::close(terminal);
  ::close(program);
}

TEST_CASE("progress that nobody reads stops no run", "[run]") {
  Pipe pipe;
  // A blocking pipe that is full: write() would wait for ever.
  ::fcntl(pipe.ends[1], F_SETFL, 0);
  auto options = to(pipe.ends[1], ProgressStyle::lines);
  options.every_s = 0;
  Progress progress(10000, options, kBegin);
  for (int i = 1; i <= 10000; ++i) progress.update(i, 1, 0.5, 32, kBegin + i);
  CHECK_THAT(pipe.read(), contains("step 1/10000"));

  Progress quiet(10, to(pipe.ends[1], ProgressStyle::quiet), kBegin);
  quiet.update(1, 1, 0.5, 100);
  quiet.note("validation");
  quiet.finish();
  CHECK(pipe.read() == "");
}
