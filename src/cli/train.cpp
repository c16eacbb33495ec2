#include <cstdio>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/signals.h"
#include "protean/experiment/device.h"
#include "protean/experiment/run_data.h"
#include "protean/run/provenance.h"
#include "protean/trainer/trainer.h"

#include "cli/commands.h"
#include "cli/known_classes.h"
#include "cli/open_run.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"resume", "none|auto|DIR", "none",
     "auto: go on in run.dir if it holds a run; DIR: start from that run's "
     "state in a new run.dir"},
    {"checkpoint", "latest|best|STEP", "latest",
     "of --resume DIR: the newest, that of the best validation, or of a step"},
    {"strict", "true|false", "",
     "refuse validation and test classes that something was trained on"}};

// Whether what the run stands on knows its validation and test classes; for
// data.json.
nlohmann::json check_data(const CommandLine& line, const Experiment& e) {
  const auto all = learnt_by_new_run(e);
  auto record = data_json(e);
  record["trained_on"] = to_json(all);
  if (!e.tasks.examples) return record;
  check_doubles(e, is_strict(line, false));
  std::set<uint32_t> held;
  for (const auto stream : {Stream::validation, Stream::test}) {
    const auto& classes = e.tasks.splits.of(stream);
    held.insert(classes.begin(), classes.end());
  }
  const auto known =
      check_new_classes(*e.tasks.examples, e.config.data, held, all,
                        "data.split", is_strict(line, false));
  record["held_out"] = known.to_json();
  return record;
}

// A run that is resumed keeps its configuration; flags and files change it.
std::filesystem::path resumed_config(const CommandLine& line) {
  const auto& resume = line.flags.at("resume");
  if (resume == "none") return {};
  const std::filesystem::path dir =
      resume == "auto" ? line.config.run.dir : resume;
  const auto path = dir / "config.ini";
  return !dir.empty() && std::filesystem::exists(path)
             ? path
             : std::filesystem::path();
}

// Whose data a run that goes on has.
Config with_run_data(const CommandLine& line, Communicator& comm) {
  auto config = line.config;
  const auto stored = resumed_config(line);
  auto asked = asked_of_run(line);
  asked.split = false;  // the same words again
  agree(comm, [&] {
    if (!stored.empty())
      use_run_data(config, stored.parent_path().string(), OpenFor::training,
                   asked);
  });
  return config;
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {
    "run.dir",          "run.steps",    "run.seed",
    "run.threads",      "comm.ranks",   "data.source",
    "data.path",        "data.split",   "task.ways",
    "task.shots",       "task.queries", "task.meta_batch",
    "model.name",       "learner.name", "learner.inner_steps",
    "learner.inner_lr", "optim.lr",     "eval.every"};

int train_run(const CommandLine& line, World& world) {
  stop_on_interrupt();
  agree(*world.control, [&] {
    if (line.config.run.dir.empty())
      throw ConfigError("run.dir is not set; expected the folder for this run");
    const auto& resume = line.flags.at("resume");
    if (line.flags.at("checkpoint") != "latest" &&
        (resume == "none" || resume == "auto"))
      throw ConfigError(concat(
          "--checkpoint ", line.flags.at("checkpoint"), ", but --resume ",
          resume,
          "; expected --resume DIR, which starts a new run.dir from it"));
    if (!line.positional.empty())
      throw ConfigError("command line: unexpected argument " +
                        line.positional.front());
  });
  const auto device = choose_device(line.config.run.device, world);
  const auto experiment =
      open_experiment(with_run_data(line, *world.control), *world.control);
  const bool nccl = world.data && std::string(world.data->backend()) == "nccl";
  nlohmann::json data;
  on_root(*world.control, [&] { data = check_data(line, experiment); });
  const RunContext context{
      line.values,
      parse_command_line({}, {}).values,
      write_ini(line.values),
      line.flags.at("resume"),
      provenance(world.mpi_version, nccl ? nccl_version() : ""),
      std::move(data),
      line.flags.at("checkpoint"),
      device};
  const auto outcome = train(experiment, world, context);
  if (line.json && world.control->rank() == 0)
    std::printf("%s\n", outcome.summary.dump().c_str());
  return outcome.exit_code;
}

}  // namespace

int run_train(const Arguments& args) {
  if (print_help(
          args,
          "train --run.dir DIR [--config FILE]... [--section.key value]...",
          kFlags, kUsual))
    return kExitDone;
  return with_world("train", args, kFlags, resumed_config, train_run);
}

}  // namespace protean
