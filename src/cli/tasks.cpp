#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/experiment/step_batches.h"
#include "protean/tools/task_file.h"

#include "cli/commands.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"out", "FILE", "", "where the tasks go"},
    {"format", "npz", "npz", "of the file: NumPy's arrays"},
    {"count", "N", "", "how many tasks"},
    {"stream", "train|validation|test", "train", "which tasks"},
    {"first-step", "N", "0", "the meta-step of the first of them"}};

int tasks(const CommandLine& line, World& world) {
  TaskFileOptions options;
  agree(*world.control, [&] {
    if (!line.positional.empty())
      throw ConfigError("command line: unexpected argument " +
                        line.positional.front());
    required(line, "count", "a number of tasks");
    options.count = whole_number(line, "count");
    options.first_step = whole_number(line, "first-step");
    options.stream = stream_named(line.flags.at("stream"), "--stream");
    if (line.flags.at("format") != "npz")
      throw ConfigError("--format " + line.flags.at("format") +
                        "; expected npz");
    required(line, "out");
    if (world.control->rank() == 0) check_writable(line.flags.at("out"));
  });
  const auto experiment =
      open_experiment(line.config, *world.control,
                      options.stream == Stream::train ? OpenFor::training
                                                      : OpenFor::evaluation);
  on_root(*world.control, [&] {
    if (experiment.tasks.environment)
      throw ConfigError(concat("data.source = ", line.config.data.source,
                               " is acted in; expected tasks of examples"));
    write_file_atomically(line.flags.at("out"), task_file(experiment, options));
  });
  return kExitDone;
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {"data.source",  "data.path",
                                         "task.ways",    "task.shots",
                                         "task.queries", "run.seed"};

}  // namespace

int run_tasks(const Arguments& args) {
  if (print_help(args,
                 "tasks --config FILE --count N --out FILE [--format npz]",
                 kFlags, kUsual))
    return kExitDone;
  return with_world("tasks", args, kFlags, {}, tasks);
}

}  // namespace protean
