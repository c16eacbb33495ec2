// Learners that act: tasks of an environment, adaptation by policy gradients.
//
// A task's support set are K rollouts by the policy before each inner step, its
// query set Q fresh rollouts by the adapted one. predict() gives the return of
// each of those, the undiscounted sum of its rewards, (T, Q, 1); so the loss of
// a task is minus its mean return. In training, losses are minus the returns of
// the rollouts after adaptation, and what stands in place of accuracies are the
// returns before. All noise depends on (seed, task, inner
// step), so neither ranks nor stacks change a rollout.
#pragma once

#include <string>

#include "protean/learners/learner.h"
#include "protean/learners/options.h"
#include "protean/models/options.h"
#include "protean/rl/options.h"
#include "protean/tasks/environment.h"

namespace protean {

// Whether learner.name names such a learner, and all that do: "promp, ...".
bool is_policy_learner(const std::string& name);
std::string policy_learner_names();

// Throws ConfigError naming the key on an impossible setting, or one that the
// learner would not look at.
LearnerPtr make_policy_learner(const LearnerOptions& learner,
                               const PolicyOptions& policy,
                               const ModelOptions& model,
                               EnvironmentPtr environment);

}  // namespace protean
