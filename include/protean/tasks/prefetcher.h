// Makes the task batches of the next steps while the current one computes.
//
// One thread calls the producer for first, first + 1, ... and stays at most
// `depth` steps ahead of the consumer; depth 0 calls it inside take(). What
// comes out never depends on the depth. An exception of the producer is thrown
// by the take() of its step, and by every later one. The producer runs beside
// the training step: stack_tasks() there uses plain loops and starts no thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "protean/tasks/task_batch.h"

namespace protean {

class Prefetcher {
 public:
  using Producer = std::function<std::vector<TaskBatch>(int64_t step)>;

  // Steps [first, last).
  Prefetcher(Producer producer, int64_t first, int64_t last, uint32_t depth);
  // Waits for the step being made, if any; drops the rest.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // The batches of `step`: first at the first call, then one more each time;
  // any other step throws Error. From one thread.
  std::vector<TaskBatch> take(int64_t step);

 private:
  void run();

  Producer producer_;
  const int64_t last_;
  const uint32_t depth_;
  int64_t next_;  // step of the next take()

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<TaskBatch>> ready_;
  int64_t making_;  // steps before this one are ready or taken
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace protean
