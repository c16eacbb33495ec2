#include "cli/study.h"

#include <cstdio>
#include <sstream>

#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/evaluation/study.h"

namespace protean {
namespace {

std::vector<std::string> items(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');)
    if (!item.empty()) out.push_back(item);
  return out;
}

std::vector<uint32_t> shot_counts(const std::string& list) {
  std::vector<uint32_t> out;
  for (const auto& item : items(list)) {
    double value = 0;
    if (!parse_csv_number(item, value) || value < 1 || value > 1000 ||
        value != static_cast<uint32_t>(value))
      throw ConfigError(concat("--shots ", list,
                               "; expected whole numbers from 1, "
                               "comma-separated"));
    out.push_back(static_cast<uint32_t>(value));
  }
  return out;
}

// Every run has a configuration of its own, and the same changes to it.
StudyRun open(const std::string& dir, Arguments args,
              const std::vector<CommandFlag>& flags, Communicator& comm) {
  CommandLine own;
  agree(comm, [&] {
    args.push_back("--run");
    args.push_back(dir);
    own = parse_command_line(args, flags, run_config);
  });
  auto run = open_run(own, comm);
  return {dir, std::move(run.experiment), std::move(run.stored.meta)};
}

void print(const Study& study) {
  for (const auto& row : study.rows) {
    if (study.kind == "domains")
      std::printf("%s: ", row.name.c_str());
    else
      std::printf("%s %g (%s): ", study.kind.c_str(), row.x, row.name.c_str());
    std::printf("%.2f %% +- %.2f held out", 100 * row.test.last().accuracy,
                100 * row.test.ci95);
    if (row.train.tasks > 0)
      std::printf(", %.2f %% +- %.2f on training classes, gap %.2f",
                  100 * row.train.last().accuracy, 100 * row.train.ci95,
                  100 * (row.train.last().accuracy - row.test.last().accuracy));
    std::printf("\n");
  }
}

}  // namespace

std::string first_run(const std::string& runs) {
  return runs.substr(0, runs.find(','));
}

int study(const CommandLine& line, World& world, const Arguments& args,
          const std::vector<CommandFlag>& flags) {
  auto& comm = *world.control;
  std::vector<uint32_t> shots;
  agree(comm, [&] { shots = shot_counts(line.flags.at("shots")); });
  std::vector<StudyRun> runs;
  for (const auto& dir : items(line.flags.at("run")))
    runs.push_back(open(dir, args, flags, comm));
  const Study result = make_study(line.flags.at("study"), runs, shots,
                                  line.config.eval.tasks, comm);
  if (comm.rank() != 0) return kExitDone;
  if (line.is_set("csv"))
    write_file_atomically(line.flags.at("csv"), result.to_csv());
  if (line.is_set("svg"))
    write_file_atomically(line.flags.at("svg"), to_svg(result.to_plot()));
  if (line.json)
    std::printf("%s\n", result.to_json().dump().c_str());
  else
    print(result);
  return kExitDone;
}

}  // namespace protean
