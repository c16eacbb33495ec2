// Time that passes, by a clock that nobody sets, and processor time.
#pragma once

#include <chrono>
#include <ctime>

namespace protean {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

namespace detail {

inline double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace detail

// Of all threads of this process, and of this thread alone.
inline double process_cpu_seconds() {
  return detail::seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}
inline double thread_cpu_seconds() {
  return detail::seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace protean
