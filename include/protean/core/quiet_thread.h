// A thread that no signal is delivered to: handlers stay on the threads that
// asked for them.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace protean {

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
