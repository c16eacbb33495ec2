#include "protean/models/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include <ATen/Parallel.h>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace protean {

namespace {

std::atomic<int> count{1};

}  // namespace

void set_threads(int threads) {
  count = std::max(1, threads);
  at::set_num_threads(1);
}

int threads() { return count; }

#ifdef _OPENMP

const char* thread_library() { return PROTEAN_OPENMP_LIBRARY; }

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

void parallel_for(int64_t n, int64_t grain,
                  c10::function_ref<void(int64_t, int64_t)> f) {
  if (n <= 0) return;
  const int team = threads();
  const int64_t used =
      std::min<int64_t>(team, ceil_div(n, std::max<int64_t>(1, grain)));
  if (used == 1 || omp_in_parallel()) return f(0, n);
  const int64_t share = ceil_div(n, used);
  std::exception_ptr error;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  // Always the whole team: GCC's run-time makes threads anew when its size
  // changes.
#pragma omp parallel num_threads(team)
  {
    const int64_t begin = omp_get_thread_num() * share;
    if (begin < n) try {
        f(begin, std::min(n, begin + share));
      } catch (...) {
        if (!failed.test_and_set()) error = std::current_exception();
      }
  }
  if (error) std::rethrow_exception(error);
}

#else

const char* thread_library() { return ""; }

void parallel_for(int64_t n, int64_t,
                  c10::function_ref<void(int64_t, int64_t)> f) {
  if (n > 0) f(0, n);
}

#endif

}  // namespace protean
