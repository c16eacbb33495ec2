#include "protean/comm/keys.h"
#include "protean/coordinator/keys.h"
#include "protean/core/ini.h"
#include "protean/core/log.h"
#include "protean/core/settings.h"
#include "protean/data/keys.h"
#include "protean/experiment/catalogue.h"
#include "protean/experiment/device.h"
#include "protean/experiment/keys.h"
#include "protean/generative/keys.h"
#include "protean/learners/keys.h"
#include "protean/models/keys.h"
#include "protean/rl/keys.h"
#include "protean/tasks/keys.h"

namespace protean {
namespace {

constexpr auto kMayChange = Resume::may_change;

void run_fields(Settings& s, RunOptions& o) {
  s.add("run.dir", &o.dir)
      .says("folder of the run, where everything of it goes; made by training")
      .resumes(kMayChange)
      .also_called({"output_dir", "out_dir", "save_dir", "log_dir"});
  s.add("run.seed", &o.seed)
      .says("seed of tasks and initial values")
      .when("three or more seeds for a figure that is to be believed")
      .also_called({"seed", "random_state", "random_seed"});
  s.add("run.steps", &o.steps)
      .says(
          "meta-steps of training: updates of theta, each from "
          "task.meta_batch tasks. Tasks are drawn afresh, so there are no "
          "epochs")
      .when("until validation accuracy no longer rises; schedules end here")
      .at_least(1)
      .resumes(kMayChange)
      .also_called({"epochs", "iterations", "num_iterations", "max_steps",
                    "meta_iterations", "n_iter"});
  s.add("run.threads", &o.threads)
      .says("CPU threads of one rank")
      .when(
          "cores divided by ranks, which the launchers set. It changes no "
          "bit of a result")
      .at_least(1)
      .resumes(kMayChange)
      .also_called({"n_jobs", "num_threads", "nthread"});
  s.add("run.device", &o.device)
      .says(
          "where tasks are computed: cpu, cuda (each rank on a GPU of its "
          "own), "
          "or auto (cuda where every rank has a GPU, else cpu). What a run has "
          "stored binds no later command but a resume: eval, adapt and "
          "generate use auto unless told")
      .when("cuda with a GPU, and networks large enough to keep it busy")
      .one_of(device_names())
      .resumes(kMayChange)
      .also_called({"device"});
  s.add("run.max_time", &o.max_time)
      .says(
          "seconds of training after which the run ends as if it had reached "
          "run.steps; 0: no limit")
      .when("for a budget of time; a later --resume goes on")
      .at_least(0)
      .resumes(kMayChange);
  s.add("run.log_every", &o.log_every)
      .says("meta-steps between lines of metrics.jsonl")
      .when("1 for short runs whose curve is of interest")
      .at_least(1)
      .resumes(kMayChange)
      .also_called({"logging_steps", "log_interval"});
  s.add("run.quiet", &o.quiet)
      .says("print no lines of progress")
      .when("in scripts; metrics.jsonl holds the same figures")
      .resumes(kMayChange);
  s.add("run.logs", &o.logs)
      .says(
          "each rank keeps a copy of its lines, with times, in "
          "logs/rank-N.log; after a failure also its last collectives")
      .when("false on slow shared disks with thousands of ranks")
      .resumes(kMayChange);
  s.add("run.trace", &o.trace)
      .says(
          "write what each rank did when to trace.json, for Perfetto or "
          "chrome://tracing")
      .when("to see what ranks wait for; large for long runs")
      .resumes(kMayChange);
  s.add("run.prometheus", &o.prometheus)
      .says(
          "file that always holds the newest metrics, for the node exporter's "
          "text file collector; empty: none")
      .when("to watch runs in Grafana")
      .resumes(kMayChange);
  s.add("run.tensorboard", &o.tensorboard)
      .says(
          "write the metrics and the configuration as TensorBoard's event "
          "files "
          "too, in the run's folder")
      .when("to watch runs, or compare them, with `tensorboard --logdir runs`")
      .resumes(kMayChange)
      .also_called({"tensorboard", "use_tensorboard"});
}

void reduction_fields(Settings& s, Config& c) {
  s.add("comm.reduction", &c.reduction)
      .says(
          "how sums over ranks are made: exact (the same bits on any number "
          "of ranks), fixed (the same bits on as many) or fast (no promise)")
      .when("fast for large networks on many ranks")
      .one_of({"fast", "fixed", "exact"})
      .resumes(kMayChange);
  s.add("comm.wire", &c.wire)
      .says(
          "numbers that gradients travel as: fp32, or bf16 and fp16 for half "
          "the bytes, with error feedback; not in exact")
      .when("with slow networks and models of many megabytes")
      .one_of({"fp32", "bf16", "fp16"})
      .resumes(kMayChange);
  s.add("comm.overlap", &c.overlap)
      .says("sums of finished stacks travel while a rank's last stack computes")
      .when("for large networks and ranks that own several stacks")
      .resumes(kMayChange);
  s.add("comm.shard_optim", &c.shard_optim)
      .says(
          "each rank keeps and updates the optimiser's state of its slice of "
          "theta, which then travels to all")
      .when("when the optimiser's state does not fit; costs time")
      .resumes(kMayChange);
}

bool validates(const Settings& s) { return s.value("eval.every") != "0"; }

void eval_fields(Settings& s, EvalOptions& o) {
  constexpr auto kUnless = Resume::may_change_unless_validations_decide;
  constexpr const char* kValidates = "eval.every above 0";
  s.add("eval.every", &o.every)
      .says("meta-steps between validations; 0: none")
      .when("often enough to see the best step, seldom enough to cost little")
      .at_least(0)
      .resumes(kUnless)
      .also_called({"valid_every", "val_every"});
  s.add("eval.tasks", &o.tasks)
      .says("tasks of one validation, and of `protean eval`")
      .when(
          "600 or more for a figure to publish: the interval narrows with "
          "the root")
      .at_least(1)
      .resumes(kUnless)
      .also_called({"test_episodes", "num_eval_tasks"});
  s.add("eval.ways", &o.ways)
      .says("classes of evaluation tasks; 0: task.ways")
      .when("to evaluate on other tasks than the run was made for")
      .resumes(kUnless);
  s.add("eval.shots", &o.shots)
      .says("shots of evaluation tasks; 0: task.shots")
      .when("to see what more shots bring")
      .resumes(kUnless);
  s.add("eval.queries", &o.queries)
      .says("queries of evaluation tasks; 0: task.queries")
      .when(
          "fewer when classes are small: a class with too few examples for "
          "shots and queries is left out")
      .resumes(kUnless);
  s.add("eval.within", &o.within)
      .says(
          "where the classes of an evaluation task come from: any or group "
          "(task.within); empty: as training tasks")
      .when("to compare runs on tasks within groups, however they were trained")
      .one_of({"", "any", "group"})
      .resumes(kUnless)
      .only_with("task.domain", {"none"});
  s.add("eval.target_accuracy", &o.target_accuracy)
      .says("validation accuracy, 0 to 1, at which training ends; 0: off")
      .when("to stop when it is good enough")
      .at_least(0)
      .resumes(kUnless)
      .only_if("eval.every", kValidates, validates);
  s.add("eval.patience", &o.patience)
      .says(
          "validations without a better one after which training ends; 0: off")
      .when("5 to 10, against over-fitting and wasted time")
      .at_least(0)
      .resumes(kUnless)
      .only_if("eval.every", kValidates, validates)
      .also_called({"early_stopping_rounds", "early_stopping_patience"});
  s.add("eval.features", &o.features)
      .says(
          "runs, or networks as TorchScript (NAME.pt), comma-separated, in "
          "whose features `protean eval` compares made images with real ones")
      .when("to judge a generative run, as FID does")
      .resumes(kUnless);
  s.add("eval.stream", &o.stream)
      .says("classes that `protean eval` takes: test or validation")
      .when("validation while you still choose between settings")
      .one_of({"test", "validation"})
      .resumes(kUnless);
}

}  // namespace

void fields(Settings& s, CheckpointOptions& o) {
  s.add("checkpoint.every", &o.every)
      .says("meta-steps between checkpoints; 0: only the last one")
      .when("about ten minutes of work; they are written in the background")
      .at_least(0)
      .resumes(kMayChange)
      .also_called({"save_every", "save_steps"});
  s.add("checkpoint.every_s", &o.every_s)
      .says("seconds after which there is one too; 0: off")
      .when("where steps take long or vary")
      .at_least(0)
      .resumes(kMayChange);
  s.add("checkpoint.keep", &o.keep)
      .says("newest checkpoints that are kept")
      .when(
          "more to be able to go back further; each has theta and the "
          "optimiser's state")
      .at_least(1)
      .resumes(kMayChange)
      .also_called({"save_total_limit"});
  s.add("checkpoint.keep_best", &o.keep_best)
      .says("checkpoints with the best validations that are kept too")
      .at_least(1)
      .resumes(kMayChange);
  s.add("checkpoint.keep_every", &o.keep_every)
      .says("checkpoints of steps that this divides are kept too; 0: off")
      .when("to look at how a run developed")
      .at_least(0)
      .resumes(kMayChange);
  s.add("checkpoint.wait_s", &o.wait_s)
      .says(
          "seconds that training waits for the write before this one; then it "
          "goes on, and the newer state is written when that is done")
      .when("longer on slow disks")
      .at_least(0)
      .resumes(kMayChange);
  s.add("checkpoint.grace_s", &o.grace_s)
      .says(
          "seconds that the last checkpoint is tried again at the end of a run "
          "when its write fails")
      .when("longer where a full disk is soon made free")
      .at_least(0)
      .resumes(kMayChange);
  s.add("checkpoint.fallback_dir", &o.fallback_dir)
      .says(
          "folder where the last checkpoint goes when its disk fails; "
          "resuming looks there too; empty: none")
      .when("a local disk, for runs on a shared one; runs may share it")
      .resumes(kMayChange);
}

void fields(Settings& s, Config& c) {
  run_fields(s, c.run);
  fields(s, c.data);
  fields(s, c.task);
  fields(s, c.model);
  fields(s, c.learner);
  fields(s, c.generator);
  fields(s, c.generated);
  fields(s, c.policy);
  fields(s, c.optim);
  fields(s, c.comm);
  reduction_fields(s, c);
  fields(s, c.coordinator);
  fields(s, c.checkpoint);
  eval_fields(s, c.eval);
  for (const auto& table : catalogue()) s.read_by(table.key, table.entries);
}

void check(const Config& config) {
  Config copy;
  Settings s;
  fields(s, copy);
  copy = config;
  s.check();
}

Config read_stored_config(const std::filesystem::path& path) {
  Config config;
  Settings s;
  fields(s, config);
  s.set_all(read_ini(path), path.string());
  for (const auto& warning :
       s.drop_unread([](const Setting&) { return true; }, path.string()))
    log_shared_warning(warning);
  return config;
}

ConfigValues kept_values(const Config& config) {
  Config copy;
  Settings s;
  fields(s, copy);
  copy = config;
  const bool decide = config.task.curriculum_accuracy > 0;
  ConfigValues kept;
  for (const auto& setting : s.all()) {
    const bool keep =
        setting.resume() == Resume::same ||
        (decide &&
         setting.resume() == Resume::may_change_unless_validations_decide);
    if (keep && s.is_read(setting))
      kept.emplace_back(setting.key(), setting.value());
  }
  return kept;
}

}  // namespace protean
