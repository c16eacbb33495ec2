#include "cli/open_run.h"

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/models/threads.h"

namespace protean {

std::filesystem::path run_config(const CommandLine& line) {
  if (!line.is_set("run"))
    throw ConfigError(line.positional.empty()
                          ? "--run is not set; expected a run directory"
                          : concat("command line: unexpected argument ",
                                   line.positional.front(), "; expected --run ",
                                   line.positional.front()));
  return run_config_path(line.flags.at("run"), "--run");
}

StoredRun open_run(const CommandLine& line, Communicator& comm,
                   OpenFor purpose) {
  agree(comm, [&] {
    if (!line.positional.empty())
      throw ConfigError("command line: unexpected argument " +
                        line.positional.front());
  });
  auto run =
      load_run(line.config, line.flags.at("run"), "--run", comm, purpose);
  set_threads(line.config.run.threads);
  return run;
}

}  // namespace protean
