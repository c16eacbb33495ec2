// Learners announce what they are about to do; who wants to know how long it
// takes listens. A learner itself sees no clock.
#pragma once

#include <functional>

namespace protean {

enum class Phase { inner, outer, idle };

// For the calling thread; empty: nobody listens.
void set_phase_listener(std::function<void(Phase)> listener);
void announce(Phase phase);

}  // namespace protean
