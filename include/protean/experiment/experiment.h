// What a configuration describes, made real: data, task streams, schedules,
// learner, initial values.
//
// Whole when opened, and not changed afterwards; of one rank, or shared by the
// ranks of a process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protean/comm/communicator.h"
#include "protean/coordinator/planner.h"
#include "protean/experiment/config.h"
#include "protean/experiment/stream_schedule.h"
#include "protean/generative/generative_learner.h"
#include "protean/learners/learner.h"
#include "protean/tasks/open_tasks.h"

namespace protean {

class GeneratorVersions;
struct Experiment;

// A generator as a run left it.
struct FrozenGenerator {
  GenerativeLearnerPtr learner;
  MetaView meta;
  std::shared_ptr<const Experiment> experiment;
};

// What an experiment is opened for, and so how much of it is made.
enum class OpenFor {
  prediction,  // its learner; of a stored run's data, what the run keeps
  use,         // its learner; tasks as the data alone has them
  listed,      // tasks that a list names, of data without a split
  evaluation,  // and evaluation tasks with the shots that a generator adds
  training     // and training tasks of every source, schedules, first values
};

struct Experiment {
  Config config;
  TaskSources tasks;
  LearnerPtr learner;
  StreamSchedule schedule;  // of training tasks
  MetaView initial;         // float32, on the host: what training starts from
  // generator.from, where tasks need it, and the weights that tasks are made
  // with, by version. Null where they do not.
  std::shared_ptr<const FrozenGenerator> generator;
  std::shared_ptr<GeneratorVersions> versions;
};

// Collective: all ranks give the same configuration. For training it sets the
// threads of this rank. Throws ConfigError or DataError, the same on every
// rank; nothing is written.
Experiment open_experiment(const Config& config, Communicator& comm,
                           OpenFor purpose = OpenFor::training);

// Data, learner and their checks alone, on one rank.
Experiment make_experiment(const Config& config);
// What a learner starts from, by its own rule.
MetaView initial_values(const Learner& learner, uint64_t seed);

// The learner, which must be generative. what: who needs it, "--run runs/a";
// ConfigError says so when it is not.
GenerativeLearnerPtr generative_learner(const Experiment& experiment,
                                        const std::string& what);

// Whether evaluation tasks have generated shots too.
bool adds_generated_shots(const Config& config);
// base: tasks of the experiment's ways and shots; with its generated shots,
// where it has them.
TaskSourcePtr with_generated_shots(const Experiment& experiment,
                                   TaskSourcePtr base);

// Tasks per stack: task.stack, or a choice by the learner's size that does not
// depend on the number of ranks.
int64_t stack_limit(const Experiment& experiment);
// How training tasks are cut into stacks.
CutOptions cut_options(const Experiment& experiment);

}  // namespace protean
