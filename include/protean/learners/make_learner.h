// Learners by name.
#pragma once

#include "protean/core/plan.h"
#include "protean/learners/learner.h"
#include "protean/learners/options.h"
#include "protean/models/options.h"

namespace protean {

// train: the shape of training tasks (ways decide the head's outputs). Throws
// ConfigError naming the key on an impossible setting.
LearnerPtr make_learner(const LearnerOptions& learner,
                        const ModelOptions& model, const TaskShape& train);

}  // namespace protean
