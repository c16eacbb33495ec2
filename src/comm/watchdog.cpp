#include "comm/watchdog.h"

#include <chrono>

#include <unistd.h>

#include "protean/core/log.h"
#include "protean/core/quiet_thread.h"

#include "comm/call.h"

namespace protean {

Watchdog::Watchdog(std::string who, std::string operation, double seconds,
                   int exit_code) {
  thread_ = start_quiet_thread([=, this] {
    std::unique_lock lock(mutex_);
    if (cancelled_.wait_for(lock, std::chrono::duration<double>(seconds),
                            [&] { return cancel_; }))
      return;
    log_error(concat(who, ": ", operation, " not done in ",
                     seconds_text(seconds), "; giving up"));
    _exit(exit_code);
  });
}

Watchdog::~Watchdog() {
  {
    std::lock_guard lock(mutex_);
    cancel_ = true;
  }
  cancelled_.notify_all();
  thread_.join();
}

}  // namespace protean
