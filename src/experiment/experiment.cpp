#include "protean/experiment/experiment.h"

#include <algorithm>
#include <thread>

#include "protean/coordinator/station.h"
#include "protean/core/error.h"
#include "protean/data/stored_data.h"
#include "protean/experiment/catalogue.h"
#include "protean/experiment/keys.h"
#include "protean/generative/generated_class.h"
#include "protean/generative/generative_learner.h"
#include "protean/rl/policy_learner.h"

namespace protean {
namespace {

// The first thing to know: keys of the one mean nothing to the other.
void check_acting(const Config& c) {
  const bool acts = is_policy_learner(c.learner.name);
  if (acts && !is_environment(c.data.source))
    throw ConfigError(
        "learner.name = \"" + c.learner.name +
        "\" acts in an environment, but data.source = \"" + c.data.source +
        "\" has examples; expected one of: " + environment_names());
  if (!acts && is_environment(c.data.source))
    throw ConfigError(
        "data.source = \"" + c.data.source +
        "\" is an environment, but learner.name = \"" + c.learner.name +
        "\" does not act; expected one of: " + policy_learner_names());
}

// What no key says alone.
void validate(const Config& c) {
  // A team of threads is started at once; more than this is a slip of the pen.
  const int most =
      std::max(64, 4 * static_cast<int>(std::thread::hardware_concurrency()));
  if (c.run.threads > most)
    throw ConfigError(concat("run.threads = ", c.run.threads,
                             "; expected 1 to ", most, " on this machine"));
  validate(c.coordinator);
  if (c.optim.retries > 0 && c.generated.refresh > 0)
    throw ConfigError(concat(
        "optim.retries = ", c.optim.retries,
        ", but generator.refresh = ", c.generated.refresh,
        " trains a generator beside the run, which does not go back; expected "
        "one of them to be 0"));
}

// Whether the learner takes generated support images, and how.
void check_generated(const TaskOptions& task, const Learner& learner) {
  // Its evaluation tasks have a class less.
  if (task.generated_class() && learner.task_sizes() == TaskSizes::equal)
    throw ConfigError(
        concat("task.generated_as = class, but learner.name = ", learner.name(),
               " takes tasks of one size alone; expected shots"));
  if (task.generated_weight < 1 && !learner.takes_weights())
    throw ConfigError(concat("task.generated_weight = ", task.generated_weight,
                             ", but learner.name = ", learner.name(),
                             " with these settings knows no weights of "
                             "support images; expected 1"));
}

// Whether the learner takes training tasks that differ, and how.
void check_task_sizes(const DataOptions& data, const TaskOptions& task,
                      bool unequal, const Learner& learner) {
  if (task.levels() == 0 && !unequal) return;
  if (task.interpolation.share > 0)
    throw ConfigError(concat("task.interpolate = ", task.interpolation.share,
                             " mixes equal tasks; expected 0 with "
                             "task.train_ways_max = ",
                             task.train_ways_max,
                             ", task.train_shots_max = ", task.train_shots_max,
                             " and data.source = ", data.source));
  const auto differ =
      unequal ? concat("data.source = ", data.source, " makes unequal tasks")
              : concat("task.train_ways_max = ", task.train_ways_max,
                       " and task.train_shots_max = ", task.train_shots_max,
                       " make unequal tasks");
  if (task.mix != "real" || task.generated_shots > 0)
    throw ConfigError(
        concat(differ, ", but task.mix = \"", task.mix,
               "\" and task.generated_shots = ", task.generated_shots,
               "; expected real tasks alone"));
  const auto sizes = learner.task_sizes();
  if (sizes == TaskSizes::equal)
    throw ConfigError(concat(differ, ", which learner.name = ", learner.name(),
                             " does not take; expected 0 for both"));
  if (sizes == TaskSizes::equal_in_stack && task.stack_overhead > 0)
    throw ConfigError(concat("task.stack_overhead = ", task.stack_overhead,
                             ", but learner.name = ", learner.name(),
                             " takes no padding with these settings; expected "
                             "0"));
}

}  // namespace

Experiment make_experiment(const Config& config) {
  check_acting(config);
  check(config);
  validate(config);
  validate(config.checkpoint);
  Experiment e;
  e.config = config;
  e.config.learner.seed = config.run.seed;
  const bool generative = is_generative(config.learner.name);
  e.config.task.labels = !generative;
  e.tasks = open_tasks(config.data, e.config.task, config.eval_counts());
  const auto& stored = config.data.stored;
  const bool absent = stored && stored->use == UseStored::nothing;
  if (config.task.generated_class() && !generative && !absent)
    e.tasks.train_shape =
        GeneratedClass::with_class(e.tasks.train_shape, config.task);
  e.learner = make_chosen_learner(e.config, e.tasks);
  check_task_sizes(e.config.data, e.config.task, e.tasks.unequal, *e.learner);
  check_generated(e.config.task, *e.learner);
  return e;
}

MetaView initial_values(const Learner& learner, uint64_t seed) {
  const auto& spaces = learner.spaces();
  const MetaView meta{at::zeros({spaces.theta.size()}, at::kFloat),
                      at::zeros({spaces.state.size()}, at::kFloat)};
  learner.initialise(meta, seed);
  return meta;
}

GenerativeLearnerPtr generative_learner(const Experiment& e,
                                        const std::string& what) {
  auto learner = std::dynamic_pointer_cast<const GenerativeLearner>(e.learner);
  if (!learner)
    throw ConfigError(
        concat(what, ": learner.name = ", e.learner->name(),
               " makes no images; expected a run of: ", generative_names()));
  return learner;
}

int64_t stack_limit(const Experiment& e) {
  if (e.config.task.stack > 0) return e.config.task.stack;
  // Small networks are bound by the cost of calls, large ones by the cache.
  return e.learner->spaces().theta.size() < 20000 ? 16 : 4;
}

CutOptions cut_options(const Experiment& e) {
  return {.limit = stack_limit(e), .overhead = e.config.task.stack_overhead};
}

}  // namespace protean
