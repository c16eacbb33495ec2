#include "cli/open_run.h"

#include <ATen/Parallel.h>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"

namespace protean {

std::filesystem::path run_config(const CommandLine& line) {
  if (!line.is_set("run"))
    throw ConfigError(line.positional.empty()
                          ? "--run is not set; expected a run directory"
                          : concat("command line: unexpected argument ",
                                   line.positional.front(), "; expected --run ",
                                   line.positional.front()));
  const auto path = std::filesystem::path(line.flags.at("run")) / "config.ini";
  if (!std::filesystem::exists(path))
    throw ConfigError("--run " + line.flags.at("run") +
                      ": no config.ini there; expected a run directory");
  return path;
}

OpenRun open_run(const CommandLine& line, Communicator& comm) {
  OpenRun run;
  agree(comm, [&] {
    if (!line.positional.empty())
      throw ConfigError("command line: unexpected argument " +
                        line.positional.front());
    run.experiment = make_experiment(line.config);
  });
  at::set_num_threads(line.config.run.threads);
  run.stored = load_meta(line.flags.at("run"), "--run " + line.flags.at("run"),
                         run.experiment, comm);
  return run;
}

}  // namespace protean
