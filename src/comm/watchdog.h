// A deadline for calls that cannot be interrupted.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

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

}  // namespace protean
