// How the work of T tasks is cut over threads: whole tasks where there are
// enough for every thread, else pieces of a task's images. The cut depends on
// the shapes and at::get_num_threads() alone, so equal inputs give equal bits.
#pragma once

#include <algorithm>

#include <ATen/Parallel.h>

namespace protean::ops {

class Pieces {
 public:
  Pieces(int64_t tasks, int64_t n) : tasks_(tasks), n_(n) {
    const int64_t threads = at::get_num_threads();
    if (tasks < threads)
      per_task_ = std::clamp<int64_t>((threads + tasks - 1) / tasks, 1, n);
  }

  bool whole() const { return per_task_ == 1; }
  int64_t per_task() const { return per_task_; }
  int64_t count() const { return tasks_ * per_task_; }

  // f(task) for every task.
  template <typename F>
  void for_tasks(F f) const {
    at::parallel_for(0, tasks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) f(t);
    });
  }
  // The same, each thread's last task first. A stack larger than the cache is
  // best read from the end that was written last: neighbouring ops alternate.
  template <typename F>
  void for_tasks_backwards(F f) const {
    at::parallel_for(0, tasks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = end; t-- > begin;) f(t);
    });
  }
  // f(piece, task, first image, last image) for every piece; the pieces of a
  // task follow each other.
  template <typename F>
  void for_all(F f) const {
    at::parallel_for(0, count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t p = i % per_task_;
        f(i, i / per_task_, n_ * p / per_task_, n_ * (p + 1) / per_task_);
      }
    });
  }

 private:
  int64_t tasks_, n_, per_task_ = 1;
};

}  // namespace protean::ops
