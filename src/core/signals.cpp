#include "protean/core/signals.h"

#include <atomic>
#include <csignal>

#include <unistd.h>

namespace protean {
namespace {

std::atomic<bool> g_stop{false};
std::atomic<bool> g_terminated{false};
std::atomic<bool> g_peer_lost{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_signal(int signal) {
  if ((signal == SIGTERM || signal == SIGINT) &&
      (g_terminated.exchange(true) || g_peer_lost))
    _exit(128 + signal);
  g_stop = true;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGUSR1, SIGUSR2, SIGTERM})
    ::sigaction(signal, &action, nullptr);
}

void stop_on_interrupt() {
  struct sigaction action = {};
  ::sigaction(SIGINT, nullptr, &action);
  // Shells have background jobs ignore the terminal's.
  if (action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
}

bool stop_requested() { return g_stop; }
void request_stop() { g_stop = true; }
void clear_stop_request() { g_stop = g_terminated = false; }
void set_peer_lost() { g_peer_lost = true; }

}  // namespace protean
