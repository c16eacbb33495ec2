// A deadline for calls that cannot be interrupted.
#pragma once

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace protean {

// While it lives, a thread counts; when the time is over it writes one line
// "<who>: <operation> not done in <seconds> s; giving up" and ends the process
// at once with exit_code, without destructors.
class Watchdog {
 public:
  Watchdog(std::string who, std::string operation, double seconds,
           int exit_code = 1);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable cancelled_;
  bool cancel_ = false;
  std::thread thread_;
};

// Starts a thread that no signal is delivered to: handlers stay on the threads
// that asked for them.
template <typename F>
std::thread start_quiet_thread(F&& body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::forward<F>(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace protean
