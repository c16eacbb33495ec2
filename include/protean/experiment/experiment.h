// What a configuration describes, made real: data, task streams, learner.
//
// Immutable and shared by all ranks of a process.
#pragma once

#include <cstdint>
#include <memory>

#include "protean/coordinator/planner.h"
#include "protean/experiment/config.h"
#include "protean/generative/generative_learner.h"
#include "protean/learners/learner.h"
#include "protean/tasks/open_tasks.h"

namespace protean {

class GeneratorVersions;

struct Experiment {
  Config config;
  TaskSources tasks;
  LearnerPtr learner;
  // Of tasks that a generator makes: its weights by version, and the experiment
  // that it comes from. Null where there are none.
  std::shared_ptr<GeneratorVersions> versions;
  std::shared_ptr<const Experiment> generator;
};

// Throws ConfigError or DataError; nothing is written.
Experiment make_experiment(const Config& config);

// Generative learners have networks of their own: throws ConfigError when
// model.* is set for one that is to be trained. (Evaluation takes model.* for
// classifiers of what one makes.)
void check_model_unused(const Config& config);

// The learner, which must be generative. what: who needs it, "--run runs/a";
// ConfigError says so when it is not.
GenerativeLearnerPtr generative_learner(const Experiment& experiment,
                                        const std::string& what);

// Tasks per stack: task.stack, or a choice by the learner's size that does not
// depend on the number of ranks.
int64_t stack_limit(const Experiment& experiment);
// How training tasks are cut into stacks.
CutOptions cut_options(const Experiment& experiment);

}  // namespace protean
