#include "cli/open_run.h"

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/experiment/device.h"
#include "protean/models/threads.h"

namespace protean {

CommandFlag checkpoint_flag() {
  return {"checkpoint", "latest|best|STEP", "latest",
          "of the run: the newest, that of the best validation, or of a step"};
}

std::filesystem::path run_config(const CommandLine& line) {
  if (!line.is_set("run"))
    throw ConfigError(line.positional.empty()
                          ? "--run is not set; expected a run directory"
                          : concat("command line: unexpected argument ",
                                   line.positional.front(), "; expected --run ",
                                   line.positional.front()));
  return run_config_path(line.flags.at("run"), "--run");
}

AskedOfRun asked_of_run(const CommandLine& line) {
  AskedOfRun asked;
  asked.path = line.given.count("data.path") != 0;
  asked.also = line.given.count("data.also") != 0;
  asked.split = line.given.count("data.split") != 0;
  if (line.is_set("checkpoint")) asked.checkpoint = line.flags.at("checkpoint");
  return asked;
}

StoredRun open_run(const CommandLine& line, Communicator& comm,
                   OpenFor purpose) {
  agree(comm, [&] {
    if (!line.positional.empty())
      throw ConfigError("command line: unexpected argument " +
                        line.positional.front());
  });
  auto run = load_run(line.config, line.flags.at("run"), "--run", comm, purpose,
                      asked_of_run(line));
  set_threads(line.config.run.threads);
  return run;
}

void check_on_host(const CommandLine& line, const std::string& what) {
  const auto& device = line.config.run.device;
  if (device != "auto" && device != "cpu")
    throw ConfigError(concat("run.device = ", device, ", but ", what,
                             " computes on the CPU; expected cpu or auto"));
}

void move_to_device(const CommandLine& line, World& world, StoredRun& run) {
  const auto device = choose_device(line.config.run.device, world);
  run.meta = {run.meta.theta.to(device), run.meta.state.to(device)};
}

}  // namespace protean
