// How the work of T tasks is cut over threads: whole tasks where there are
// enough for every thread, else parts of a task, such as images or channels. No
// sum is cut, so results have the same bits on any number of threads.
#pragma once

#include <algorithm>

#include "protean/models/threads.h"

namespace protean::ops {

class Pieces {
 public:
  // parts: of one task, which do not depend on each other.
  Pieces(int64_t tasks, int64_t parts) : tasks_(tasks), parts_(parts) {
    const int64_t wanted = threads();
    if (tasks < wanted)
      per_task_ = std::clamp<int64_t>((wanted + tasks - 1) / tasks, 1, parts);
  }

  bool whole() const { return per_task_ == 1; }

  // f(task) for every task.
  template <typename F>
  void for_tasks(F f) const {
    parallel_for(tasks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) f(t);
    });
  }
  // The same, each thread's last task first. A stack larger than the cache is
  // best read from the end that was written last: neighbouring ops alternate.
  template <typename F>
  void for_tasks_backwards(F f) const {
    parallel_for(tasks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = end; t-- > begin;) f(t);
    });
  }
  // f(task, first part, last part) for every piece.
  template <typename F>
  void for_all(F f) const {
    parallel_for(tasks_ * per_task_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t p = i % per_task_;
        f(i / per_task_, parts_ * p / per_task_, parts_ * (p + 1) / per_task_);
      }
    });
  }

 private:
  int64_t tasks_, parts_, per_task_ = 1;
};

}  // namespace protean::ops
