#include "protean/tools/report.h"

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

#include "cli/commands.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"out", "FILE.html", "", "the page to write"}};

}  // namespace

int run_report(const Arguments& args) {
  if (print_help(args, "report RUN... --out FILE.html", kFlags, {}))
    return kExitDone;
  const auto line = parse_command_line(args, kFlags);
  if (line.positional.empty())
    throw ConfigError("report: no run is named; expected the folder of a run");
  const auto& out = required(line, "out", "the HTML file to write");
  write_file_atomically(
      out,
      report_page(read_runs({line.positional.begin(), line.positional.end()})));
  return kExitDone;
}

}  // namespace protean
