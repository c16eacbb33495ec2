#include "protean/tools/export.h"

#include "protean/core/error.h"
#include "protean/run/chosen_checkpoint.h"

#include "cli/commands.h"
#include "cli/open_run.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    checkpoint_flag(),
    {"license", "NAME", "", "of the weights, for the model card: cc-by-4.0"}};

}  // namespace

int run_export(const Arguments& args) {
  if (print_help(args, "export RUN DIR", kFlags, {})) return kExitDone;
  const auto line = parse_command_line(args, kFlags);
  if (line.positional.size() != 2)
    throw ConfigError(
        concat("export takes a run's folder and a new folder, got ",
               line.positional.size(), " arguments"));
  ExportOptions options;
  options.run = line.positional[0];
  options.out = line.positional[1];
  options.license = line.flags.at("license");
  const auto found = find_checkpoint(options.run / "checkpoints", {},
                                     line.flags.at("checkpoint"));
  if (!found)
    throw ConfigError(concat("export ", options.run.string(),
                             ": no checkpoint there; expected the folder of a "
                             "run"));
  options.checkpoint = found->folder;
  export_run(options);
  return kExitDone;
}

}  // namespace protean
