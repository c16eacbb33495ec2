#include "protean/experiment/experiment.h"

#include <algorithm>
#include <thread>

#include <ATen/Context.h>

#include "protean/coordinator/station.h"
#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/core/unused.h"
#include "protean/generative/generated_class.h"
#include "protean/generative/generative_learner.h"
#include "protean/learners/make_learner.h"
#include "protean/rl/policy_learner.h"

namespace protean {
namespace {

void validate(const Config& c) {
  auto at_least = [](const char* key, auto value, auto least) {
    if (!(value >= least))  // NaN too
      throw ConfigError(
          concat(key, " = ", value, "; expected at least ", least));
  };
  at_least("run.steps", c.run.steps, int64_t{1});
  at_least("run.threads", c.run.threads, 1);
  // A team of threads is started at once; more than this is a slip of the pen.
  const int most =
      std::max(64, 4 * static_cast<int>(std::thread::hardware_concurrency()));
  if (c.run.threads > most)
    throw ConfigError(concat("run.threads = ", c.run.threads,
                             "; expected 1 to ", most, " on this machine"));
  at_least("run.max_time", c.run.max_time, 0.0);
  at_least("run.log_every", c.run.log_every, int64_t{1});
  at_least("task.meta_batch", c.task.meta_batch,
           decltype(c.task.meta_batch){1});
  at_least("task.stack_overhead", c.task.stack_overhead, int64_t{0});
  at_least("eval.every", c.eval.every, int64_t{0});
  at_least("eval.tasks", c.eval.tasks, int64_t{1});
  at_least("comm.ranks", c.comm.ranks, 1);
  validate(c.coordinator);
  at_least("eval.target_accuracy", c.eval.target_accuracy, 0.0);
  at_least("eval.patience", c.eval.patience, int64_t{0});
  at_least("optim.retries", c.optim.retries, int64_t{0});
  if (c.optim.retries > 0 && c.generated.refresh > 0)
    throw ConfigError(concat(
        "optim.retries = ", c.optim.retries,
        ", but generator.refresh = ", c.generated.refresh,
        " trains a generator beside the run, which does not go back; expected "
        "one of them to be 0"));
  at_least("optim.eps", c.optim.eps, 0.0);
  at_least("optim.weight_decay", c.optim.weight_decay, 0.0);
  at_least("optim.clip_norm", c.optim.clip_norm, 0.0);
  at_least("optim.clip_value", c.optim.clip_value, 0.0);
  at_least("learner.eval_steps", c.learner.eval_steps, -1);
  at_least("learner.inner_batch", c.learner.inner_batch, 0);
  at_least("learner.eval_inner_batch", c.learner.eval_inner_batch, -1);
  if (!is_generative(c.learner.name) && !(c.generator == GeneratorOptions{}))
    throw ConfigError(
        "generator.* is set, but learner.name = \"" + c.learner.name +
        "\" is no generative learner; expected one of: " + generative_names());
  const bool acts = is_policy_learner(c.learner.name);
  if (!acts && !(c.policy == PolicyOptions{}))
    throw ConfigError(
        "policy.* is set, but learner.name = \"" + c.learner.name +
        "\" does not act; expected one of: " + policy_learner_names());
  if (acts && !is_environment(c.data.source))
    throw ConfigError("learner.name = \"" + c.learner.name +
                      "\" acts in an environment, but data.source = \"" +
                      c.data.source +
                      "\" has examples; expected one of: point, bandit");
  if (!acts && is_environment(c.data.source))
    throw ConfigError(
        "data.source = \"" + c.data.source +
        "\" is an environment, but learner.name = \"" + c.learner.name +
        "\" does not act; expected one of: " + policy_learner_names());
  check_choice("eval.stream", c.eval.stream, {"test", "validation"});
  check_choice("run.device", c.run.device, {"cpu", "cuda"});
  if (c.run.device == "cuda" && !at::hasCUDA())
    throw ConfigError(
        "run.device = cuda, but LibTorch finds no GPU here; expected cpu, or a "
        "GPU with its driver and LibTorch's CUDA libraries");
}

// What is said of generated support images, wherever they come from.
void check_generated(const TaskOptions& task) {
  check_choice("task.generated_as", task.generated_as, {"shots", "class"});
  if (!(task.generated_weight > 0 && task.generated_weight <= 1))
    throw ConfigError(concat("task.generated_weight = ", task.generated_weight,
                             "; expected above 0, up to 1"));
  constexpr uint32_t kMostShots = 1000;
  if (task.generated_shots > kMostShots)
    throw ConfigError(concat("task.generated_shots = ", task.generated_shots,
                             "; expected 0 to ", kMostShots));
  if (task.generated_queries > 0 && task.generated_as != "class")
    throw ConfigError(
        concat("task.generated_queries = ", task.generated_queries,
               "; expected 0, or task.generated_as = class"));
  if (task.generated_shots == 0) {
    const TaskOptions d;
    const Unused unused("task.generated_shots = 0");
    unused("task.generated_as", task.generated_as, d.generated_as);
    unused("task.generated_weight", task.generated_weight, d.generated_weight);
  }
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
void check_task_sizes(const TaskOptions& task, const Learner& learner) {
  if (task.levels() == 0) return;
  if (task.interpolation.share > 0)
    throw ConfigError(
        concat("task.interpolate = ", task.interpolation.share,
               " mixes equal tasks; expected 0 with "
               "task.train_ways_max = ",
               task.train_ways_max,
               " and task.train_shots_max = ", task.train_shots_max));
  const auto differ =
      concat("task.train_ways_max = ", task.train_ways_max,
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
  validate(config);
  validate(config.checkpoint);
  Experiment e;
  e.config = config;
  e.config.learner.seed = config.run.seed;
  const bool generative = is_generative(config.learner.name);
  e.config.task.labels = !generative;
  check_generated(config.task);
  e.tasks = open_tasks(config.data, e.config.task, config.eval_counts());
  if (config.task.generated_class() && !generative)
    e.tasks.train_shape =
        GeneratedClass::with_class(e.tasks.train_shape, config.task);
  if (generative)
    e.learner =
        make_generative_learner(e.config.learner, config.generator,
                                e.tasks.train_shape, config.eval_counts());
  else if (is_policy_learner(config.learner.name))
    e.learner = make_policy_learner(e.config.learner, config.policy,
                                    config.model, e.tasks.environment);
  else
    e.learner =
        make_learner(e.config.learner, config.model, e.tasks.train_shape);
  check_task_sizes(e.config.task, *e.learner);
  check_generated(e.config.task, *e.learner);
  return e;
}

void check_model_unused(const Config& config) {
  if (!is_generative(config.learner.name)) return;
  const ModelOptions d;
  const auto& o = config.model;
  const Unused unused("learner.name = " + config.learner.name, "generator.*");
  unused("model.name", o.name, d.name);
  unused("model.filters", o.filters, d.filters);
  unused("model.pool", o.pool, d.pool);
  unused("model.pool_blocks", o.pool_blocks, d.pool_blocks);
  unused("model.norm", o.norm, d.norm);
  unused("model.norm_scale", o.norm_scale, d.norm_scale);
  unused("model.norm_eps", o.norm_eps, d.norm_eps);
  unused("model.hidden", o.hidden, d.hidden);
  unused("model.context", o.context, d.context);
  unused("model.leak", o.leak, d.leak);
  unused("model.width", o.width, d.width);
  unused("model.layers", o.layers, d.layers);
  unused("model.heads", o.heads, d.heads);
  unused("model.init", o.init, d.init);
  unused("model.head_init", o.head_init, d.head_init);
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
