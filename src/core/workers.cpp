#include "protean/core/workers.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

#include "protean/core/quiet_thread.h"

namespace protean {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::max(1, CPU_COUNT(&set));
}

void run_workers(size_t count, int threads,
                 const std::function<void(size_t item)>& work) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  size_t failed = count;
  std::exception_ptr failure;
  const auto run = [&] {
    for (;;) {
      const size_t item = next++;
      if (item >= count) return;
      try {
        work(item);
      } catch (...) {
        next = count;
        std::lock_guard lock(mutex);
        if (item < failed) {
          failed = item;
          failure = std::current_exception();
        }
      }
    }
  };
  std::vector<std::thread> others;
  const size_t most =
      std::min(count, static_cast<size_t>(std::max(1, threads)));
  for (size_t t = 1; t < most; ++t) others.push_back(start_quiet_thread(run));
  run();
  for (auto& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace protean
