#include "protean/learners/phase.h"

namespace protean {
namespace {
thread_local std::function<void(Phase)> t_listener;
}

void set_phase_listener(std::function<void(Phase)> listener) {
  t_listener = std::move(listener);
}

void announce(Phase phase) {
  if (t_listener) t_listener(phase);
}

}  // namespace protean
