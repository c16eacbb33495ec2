#include "protean/evaluation/adapt.h"

#include <cmath>
#include <cstdio>

#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/evaluation/inductive.h"
#include "protean/evaluation/text.h"

#include "cli/commands.h"
#include "cli/open_run.h"
#include "cli/print_errors.h"

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

void print_errors(const Predictions& p) {
  const size_t targets = p.classes.empty() ? p.rows.front().values.size() : 0;
  for (size_t t = 0; t < targets; ++t) {
    const auto e = p.errors(t);
    if (e.rows == 0) continue;
    print(e);
  }
}

// "cat: 3 of 5 right, 2 taken for dog", a line for each class that is known.
void print_confusion(const Predictions& p) {
  const auto counts = p.confusion();
  for (size_t c = 0; c < counts.size(); ++c) {
    int64_t all = 0;
    for (int64_t n : counts[c]) all += n;
    if (all == 0) continue;
    std::printf("%s: %lld of %lld right", p.classes[c].c_str(),
                static_cast<long long>(counts[c][c]),
                static_cast<long long>(all));
    for (size_t other = 0; other < counts.size(); ++other)
      if (other != c && counts[c][other] > 0)
        std::printf(", %lld taken for %s",
                    static_cast<long long>(counts[c][other]),
                    p.classes[other].c_str());
    std::printf("\n");
  }
}

void print(const Predictions& p) {
  for (const auto& row : p.rows) {
    if (p.lines) std::printf("line ");
    if (p.classes.empty()) {
      std::printf("%s:", row.name.c_str());
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
  std::printf("\n");
  print_errors(p);
  print_confusion(p);
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
  auto& e = run.experiment;
  // A user's queries are few, and not as many of each class as in training.
  if (line.given.count("learner.query_norm") == 0)
    if (auto twin = inductive_twin(e)) e.learner = std::move(twin);
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
    if (!std::filesystem::is_regular_file(support))
      predictions =
          adapt_images(e, run.meta, read_user_images(support, query), ink);
    else if (e.config.data.source == "table")
      predictions = adapt_table(e, run.meta, support, query);
    else
      predictions = adapt_values(e, run.meta, support, query);
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
