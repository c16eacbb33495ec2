// A rank's side of the coordinator, and on rank 0 the coordinator itself: one
// thread that sends signs of life, passes on what was measured, receives cost
// tables, and ends the job when somebody is lost. It also warns when memory
// gets tight, and says so when the kernel has killed a process of its control
// group. Protocol: protocol.h.
//
// Create it when every rank is about to (after the preflight); destroy it
// before run_world's body returns. It is the only reader of world.mail.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "protean/comm/world.h"
#include "protean/coordinator/cost_schedule.h"
#include "protean/coordinator/options.h"
#include "protean/coordinator/protocol.h"
#include "protean/coordinator/watch.h"

namespace protean {

class Coordinator;

// Throws ConfigError naming the key, the value and what was expected.
void validate(const CoordinatorOptions& options);

class Station {
 public:
  // start: the cost table of the first steps, the same on every rank.
  Station(World& world, const CoordinatorOptions& options,
          const CostTable& start);
  // Says Bye; waits for nobody.
  ~Station();
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  // Where the trainer is; a sign of progress. Any thread; cheap.
  void enter(RankPhase phase, int64_t step);
  // What one stack took; its static cost is its number of examples. 0 seconds:
  // it is about to start. Any thread; cheap.
  void observe(const StackCost& cost);
  // Rank 0, after each step: compute seconds of every rank.
  void step_done(std::span<const float> busy_s);
  CostSchedule& costs() { return costs_; }
  // Processor time that this thread has taken, seconds.
  double cpu_seconds() const;

 private:
  void run();
  void beat();
  void watch_memory();
  std::string memory_advice();
  void handle(const Mail& mail, double now);
  double now() const;

  World& world_;
  const CoordinatorOptions options_;
  CostSchedule costs_;
  std::unique_ptr<Coordinator> coordinator_;  // rank 0 only
  Watch coordinator_watch_;                   // the other ranks
  std::atomic<uint64_t> progress_{0};
  std::atomic<bool> stop_{false};
  bool memory_named_ = false;
  std::optional<uint64_t> killed_;  // processes of the group, when last seen
  std::mutex mutex_;
  // Guarded by mutex_.
  RankPhase phase_ = RankPhase::setup;
  int64_t step_ = 0;
  std::vector<StackCost> observed_;
  double biggest_stack_ = 0;  // examples
  std::thread thread_;
};

}  // namespace protean
