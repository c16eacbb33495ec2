// What rank 0's station does for the whole job: watches the ranks, learns what
// stacks cost, finds ranks that hold up the others.
//
// No thread of its own; run_*() come from the station's thread, step_done()
// from the trainer's.
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protean/coordinator/cost_model.h"
#include "protean/coordinator/options.h"
#include "protean/coordinator/protocol.h"
#include "protean/coordinator/watch.h"

namespace protean {

// Ranks that take more than 1.5 times the median over 20 steps, or as many as
// take the median rank 5 seconds.
class Stragglers {
 public:
  explicit Stragglers(size_t ranks) : busy_(ranks, 0), named_(ranks, false) {}
  struct Slow {
    size_t rank;
    double ratio;  // to the median
    int steps;
  };
  // busy_s: of every rank, this step. At the end of a window: who is slow now
  // and was not in the window before.
  std::vector<Slow> step(std::span<const float> busy_s);

 private:
  std::vector<double> busy_;
  std::vector<bool> named_;
  int steps_ = 0;
};

class Coordinator {
 public:
  Coordinator(int ranks, const CoordinatorOptions& options,
              const CostTable& start, double now);

  void handle(int from, const Message& message, double now);
  // Every heartbeat: what to send to every rank.
  std::vector<Message> tick();
  // Why the job has to end, if it has; everything else is logged.
  std::optional<std::string> check(double now);

  void step_done(std::span<const float> busy_s);

 private:
  Watch watch_;
  CostModel model_;
  uint64_t told_;  // version of the table that the ranks have
  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::string> hosts_;
  Stragglers stragglers_;
};

}  // namespace protean
