#include <cstdio>

#include <ATen/Parallel.h>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/signals.h"
#include "protean/experiment/training_tasks.h"
#include "protean/run/provenance.h"
#include "protean/run/run_directory.h"
#include "protean/trainer/trainer.h"

#include "cli/commands.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"resume", "none|auto|DIR", "none",
     "auto: go on in run.dir if it holds a run; DIR: start from that run's "
     "state in a new run.dir"}};

// A run that is resumed keeps its configuration; flags and files change it.
std::filesystem::path stored_config(const CommandLine& line) {
  const auto& resume = line.flags.at("resume");
  if (resume == "none") return {};
  const std::filesystem::path dir =
      resume == "auto" ? line.config.run.dir : resume;
  const auto path = dir / "config.ini";
  return !dir.empty() && std::filesystem::exists(path)
             ? path
             : std::filesystem::path();
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {
    "run.dir",          "run.steps",    "run.seed",
    "run.threads",      "comm.ranks",   "data.source",
    "data.path",        "data.split",   "task.ways",
    "task.shots",       "task.queries", "task.meta_batch",
    "model.name",       "learner.name", "learner.inner_steps",
    "learner.inner_lr", "optim.lr",     "eval.every"};

}  // namespace

int run_train(const Arguments& args) {
  if (print_help(
          args,
          "train --run.dir DIR [--config FILE]... [--section.key value]...",
          kFlags, kUsual))
    return kExitDone;
  return with_world(
      "train", args, kFlags, stored_config,
      [](const CommandLine& line, World& world) {
        stop_on_interrupt();
        Experiment experiment;
        RunContext context;
        agree(*world.control, [&] {
          if (line.config.run.dir.empty())
            throw ConfigError(
                "run.dir is not set; expected the folder for this run");
          if (!line.positional.empty())
            throw ConfigError("command line: unexpected argument " +
                              line.positional.front());
          experiment = make_experiment(line.config);
          experiment.tasks.of(Stream::train);  // throws when there is none
        });
        // Tasks are made of codes before the first step.
        at::set_num_threads(experiment.config.run.threads);
        FrozenGenerator generator;
        const bool frozen =
            open_frozen_generator(experiment, *world.control, generator);
        agree(*world.control, [&] {
          mix_training_tasks(experiment, frozen ? &generator : nullptr);
          add_generated_shots(experiment, frozen ? &generator : nullptr);
          interpolate_training_tasks(experiment);
        });
        context.values = line.values;
        context.defaults = parse_command_line({}, {}).values;
        context.config_text = write_ini(line.values);
        context.resume = line.flags.at("resume");
        const bool nccl =
            world.data && std::string(world.data->backend()) == "nccl";
        context.provenance =
            provenance(world.mpi_version, nccl ? nccl_version() : "");
        const auto outcome = train(experiment, world, context);
        if (line.json && world.control->rank() == 0)
          std::printf("%s\n", outcome.summary.dump().c_str());
        return outcome.exit_code;
      });
}

}  // namespace protean
