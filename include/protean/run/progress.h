// What a person sees while a run trains: one line that is redrawn on a
// terminal, plain lines now and then elsewhere (log files of batch jobs).
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <unistd.h>

namespace protean {

enum class ProgressStyle {
  automatic,  // bar on a terminal, lines elsewhere
  bar,
  lines,
  quiet,
};

struct ProgressOptions {
  ProgressStyle style = ProgressStyle::automatic;
  double every_s = 10;     // seconds between plain lines
  double redraw_s = 0.1;   // least seconds between drawings of the bar
  int fd = STDERR_FILENO;  // where to
};

struct ProgressSample {
  int64_t step = 0;  // meta-steps done
  double loss = NAN;
  double accuracy = NAN;  // in [0, 1]; NaN where there is none (regression)
  double tasks_per_s = NAN;
};

// "step 1200/60000 (2.0%) loss 1.0321 accuracy 54.3% 812 tasks/s, 19:05 left".
// left_s < 0: not known yet.
std::string progress_line(const ProgressSample& sample, int64_t steps,
                          double left_s);
// The same fitted into `width` columns, behind a bar when there is room for it.
std::string progress_bar(const ProgressSample& sample, int64_t steps,
                         double left_s, int width);

// Use from one thread. Never throws and never waits: a terminal that takes no
// output (suspended, closed) is skipped.
class Progress {
 public:
  // steps: run.steps. `now`, here and below, in steady seconds.
  Progress(int64_t steps, ProgressOptions options, double now);
  explicit Progress(int64_t steps, bool quiet = false);
  ~Progress();  // finish()
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // After every step; cheap when nothing is due. step: meta-steps done, and
  // tasks: how many tasks one step has. accuracy: NaN where there is none.
  void update(int64_t step, double loss, double accuracy, int64_t tasks,
              double now);
  void update(int64_t step, double loss, double accuracy, int64_t tasks);
  // A line of its own that stays, above the bar; not when quiet.
  void note(const std::string& text);
  // Removes the bar, so that other text can be written; the next update draws
  // it again.
  void clear();
  // Shows the last step and ends the line.
  void finish();

 private:
  void draw();
  void write(const std::string& text);

  ProgressOptions options_;
  int64_t steps_;
  ProgressSample last_;
  double left_s_ = -1;
  bool any_ = false;      // there was an update
  bool pending_ = false;  // last_ is not shown yet
  bool drawn_ = false;    // a bar is on the terminal
  double shown_ = 0;      // when
  double updated_ = 0;
  // Seconds and steps, old ones forgotten with a time constant of 30 s: speed
  // and remaining time follow changes without jumping.
  double recent_s_ = 0, recent_steps_ = 0;
};

}  // namespace protean
