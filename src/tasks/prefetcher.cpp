#include "protean/tasks/prefetcher.h"

#include "protean/core/error.h"

namespace protean {

Prefetcher::Prefetcher(Producer producer, int64_t first, int64_t last,
                       uint32_t depth)
    : producer_(std::move(producer)),
      last_(last),
      depth_(depth),
      next_(first),
      making_(first) {
  if (depth_ > 0) thread_ = std::thread([this] { run(); });
}

Prefetcher::~Prefetcher() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Prefetcher::run() {
  for (;;) {
    int64_t step;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || ready_.size() < depth_; });
      if (stop_ || making_ == last_) return;
      step = making_;
    }
    std::vector<TaskBatch> batches;
    std::exception_ptr failure;
    try {
      batches = producer_(step);
    } catch (...) {
      failure = std::current_exception();
    }
    {
      std::lock_guard lock(mutex_);
      if (failure) {
        failure_ = failure;
      } else {
        ready_.push_back(std::move(batches));
        ++making_;
      }
    }
    changed_.notify_all();
    if (failure) return;
  }
}

std::vector<TaskBatch> Prefetcher::take(int64_t step) {
  if (step != next_ || step >= last_)
    throw Error(concat("Prefetcher: step ", step, " asked for; expected ",
                       next_ < last_ ? concat(next_) : "none, all were taken"));
  if (depth_ == 0) {
    auto batches = producer_(step);
    ++next_;
    return batches;
  }
  std::vector<TaskBatch> batches;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || failure_; });
    if (ready_.empty()) std::rethrow_exception(failure_);
    batches = std::move(ready_.front());
    ready_.pop_front();
  }
  changed_.notify_all();
  ++next_;
  return batches;
}

}  // namespace protean
