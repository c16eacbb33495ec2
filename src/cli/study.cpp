#include "cli/study.h"

#include <cstdio>

#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/evaluation/augmentation.h"
#include "protean/evaluation/study.h"
#include "protean/generative/generative_learner.h"

#include "cli/known_classes.h"
#include "cli/open_run.h"

namespace protean {
namespace {

std::vector<std::string> items(const std::string& list) {
  std::vector<std::string> out;
  for (const auto& item : comma_separated(list))
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
  // A generative run reads no model.*; the classifiers of this study do.
  const bool classifies = own.flags.at("study") == "augmentation" &&
                          is_generative(own.config.learner.name);
  const ModelOptions model = own.config.model;
  if (classifies) own.config.model = {};
  auto run = open_run(own, comm);
  if (classifies) run.experiment.config.model = model;
  StudyRun out{std::move(run), {}, true};
  agree(comm, [&] {
    out.learnt = learnt_by_stored_run(dir, {});
    out.strict = is_strict(own, true);
  });
  return out;
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

void print(const AugmentationStudy& study) {
  for (const auto& row : study.rows)
    std::printf(
        "%u images, %-9s %6.2f %% +- %.2f (%zu repeats, %lld classes, %lld "
        "test images)\n",
        row.shots, row.arm.c_str(), 100 * row.mean(), 100 * row.deviation(),
        row.accuracy.size(), static_cast<long long>(row.classes),
        static_cast<long long>(row.test_images));
}

template <typename Result>
int report(const CommandLine& line, const Communicator& comm,
           const Result& result) {
  if (comm.rank() != 0) return kExitDone;
  if (line.is_set("csv"))
    write_file_atomically(line.flags.at("csv"), result.to_csv());
  if (line.json)
    std::printf("%s\n", result.to_json().dump().c_str());
  else
    print(result);
  return kExitDone;
}

int augmentation(const CommandLine& line, Communicator& comm,
                 const std::vector<uint32_t>& shots, const StudyRun& run) {
  AugmentationOptions options;
  agree(comm, [&] {
    if (!shots.empty()) options.shots = shots;
    if (line.is_set("arms")) options.arms = items(line.flags.at("arms"));
    for (const auto& [flag, value] :
         {std::pair("generated", &options.generated),
          std::pair("repeats", &options.repeats),
          std::pair("steps", &options.steps)})
      if (line.is_set(flag)) *value = whole_number(line, flag);
    if (line.is_set("temperature"))
      options.temperature = number(line, "temperature");
    const auto& tasks = run.experiment.tasks;
    const auto& classes = tasks.splits.of(eval_stream(line.config));
    if (tasks.examples)
      check_new_classes(*tasks.examples, run.experiment.config.data,
                        {classes.begin(), classes.end()}, run.learnt,
                        "--study " + run.dir, run.strict);
  });
  return report(line, comm,
                augmentation_study(run.experiment, run.meta,
                                   eval_stream(line.config), options, comm));
}

}  // namespace

std::string first_run(const std::string& runs) {
  return runs.substr(0, runs.find(','));
}

int study(const CommandLine& line, World& world, const Arguments& args,
          const std::vector<CommandFlag>& flags) {
  auto& comm = *world.control;
  const std::string& kind = line.flags.at("study");
  std::vector<uint32_t> shots;
  agree(comm, [&] {
    check_on_host(line, "--study");
    shots = shot_counts(line.flags.at("shots"));
  });
  std::vector<StudyRun> runs;
  for (const auto& dir : items(line.flags.at("run")))
    runs.push_back(open(dir, args, flags, comm));
  if (kind == "augmentation" && runs.size() == 1)
    return augmentation(line, comm, shots, runs[0]);
  if (shots.empty()) shots = {1, 2, 3, 5, 10};
  const Study result =
      make_study(kind, runs, shots, line.config.eval.tasks, comm);
  if (comm.rank() == 0 && line.is_set("svg"))
    write_file_atomically(line.flags.at("svg"), to_svg(result.to_plot()));
  return report(line, comm, result);
}

}  // namespace protean
