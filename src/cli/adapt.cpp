#include "protean/evaluation/adapt.h"

#include <cmath>
#include <cstdio>

#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/evaluation/text.h"

#include "cli/commands.h"
#include "cli/open_run.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run directory whose checkpoint adapts"},
    checkpoint_flag(),
    {"support", "FOLDER|CSV", "",
     "labelled examples: one folder of images per class, rows of inputs and "
     "targets, or text"},
    {"query", "FOLDER|CSV", "",
     "what to predict: images, rows of inputs, or text"},
    {"out", "FILE", "", "write the predictions as CSV"},
    {"ink", "auto|dark|light", "auto",
     "of images, for a run trained on ink; auto: the rarer"}};

void print(const Predictions& p) {
  for (const auto& row : p.rows) {
    if (p.classes.empty()) {
      std::printf("line %s:", row.name.c_str());
      for (double v : row.values) std::printf(" %.6g", v);
      std::printf("\n");
    } else {
      const auto choice = static_cast<size_t>(row.choice);
      std::printf("%s: %s", row.name.c_str(), p.classes[choice].c_str());
      if (p.probabilities) std::printf(" (%.1f %%)", 100 * row.values[choice]);
      std::printf("\n");
    }
  }
  std::printf("adapted to %lld examples in %d steps, %s",
              static_cast<long long>(p.support), p.steps,
              p.transductive ? "transductive: predictions depend on the other "
                               "queries (learner.query_norm)"
                             : "inductive");
  if (!std::isnan(p.accuracy()))
    std::printf(", accuracy %.2f %%", 100 * p.accuracy());
  if (!std::isnan(p.mean_squared_error()))
    std::printf(", squared error %.4g", p.mean_squared_error());
  std::printf("\n");
}

constexpr const char* kExamples = "a folder of images or a CSV file";

// How well a text model predicts held-out text, before and after adaptation.
int score(const CommandLine& line, World& world, const StoredRun& run,
          const std::filesystem::path& support,
          const std::filesystem::path& query) {
  TextScore score;
  agree(*world.control, [&] {
    for (const char* flag : {"out", "ink"})
      if (line.flags.at(flag) != (std::string(flag) == "ink" ? "auto" : ""))
        throw ConfigError(concat("--", flag, " is not for runs of text"));
    score = score_text(run.experiment, run.meta, read_file(support),
                       read_file(query));
  });
  if (world.control->rank() != 0) return kExitDone;
  if (line.json)
    std::printf("%s\n",
                nlohmann::json{{"bits_per_character_before", score.before},
                               {"bits_per_character", score.after}}
                    .dump()
                    .c_str());
  else
    std::printf("%.4f bits per character, %.4f after adaptation\n",
                score.before, score.after);
  return kExitDone;
}

int adapt(const CommandLine& line, World& world) {
  std::filesystem::path support, query;
  Ink ink{};
  agree(*world.control, [&] {
    support = required(line, "support", kExamples);
    query = required(line, "query", kExamples);
    ink = parse_ink(line.flags.at("ink"), "--ink");
    if (line.is_set("out") && world.control->rank() == 0)
      check_writable(line.flags.at("out"));
  });
  auto run = open_run(line, *world.control, OpenFor::prediction);
  move_to_device(line, world, run);
  const auto& e = run.experiment;
  agree(*world.control, [&] {
    if (e.tasks.environment)
      throw ConfigError(concat("--run ", line.flags.at("run"),
                               ": learner.name = ", e.learner->name(),
                               " adapts by acting, not to examples; expected a "
                               "run of another learner"));
  });
  if (e.config.data.source == "text")
    return score(line, world, run, support, query);
  Predictions predictions;
  agree(*world.control, [&] {
    predictions =
        std::filesystem::is_regular_file(support)
            ? adapt_values(e, run.meta, support, query)
            : adapt_images(e, run.meta, read_user_images(support, query), ink);
    if (line.is_set("out") && world.control->rank() == 0)
      write_file_atomically(line.flags.at("out"), predictions.to_csv());
  });
  if (world.control->rank() != 0) return kExitDone;
  if (line.json)
    std::printf("%s\n", predictions.to_json().dump().c_str());
  else
    print(predictions);
  return kExitDone;
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {
    "learner.eval_steps", "learner.query_norm", "run.threads", "comm.ranks"};

}  // namespace

int run_adapt(const Arguments& args) {
  if (print_help(args,
                 "adapt --run DIR --support FOLDER --query FOLDER [--out FILE]",
                 kFlags, kUsual))
    return kExitDone;
  return with_world("adapt", args, kFlags, run_config, adapt);
}

}  // namespace protean
