// Inner steps for those learners that make some: the others refuse them.
#pragma once

#include <algorithm>
#include <string>

#include "protean/core/settings.h"
#include "protean/learners/keys.h"

namespace protean {

inline void set_inner_steps(LearnerOptions& o, int steps, double lr) {
  for (const auto& entry : learner_entries())
    if (entry.name == o.name &&
        std::find(entry.keys.begin(), entry.keys.end(),
                  "learner.inner_steps") != entry.keys.end()) {
      o.inner_steps = steps;
      o.inner_lr = lr;
    }
}

}  // namespace protean
