#include <cstdio>
#include <optional>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/evaluation/across.h"
#include "protean/evaluation/check_tasks.h"
#include "protean/evaluation/inductive.h"
#include "protean/evaluation/one_shot.h"
#include "protean/evaluation/per_task.h"
#include "protean/evaluation/sample_quality.h"
#include "protean/evaluation/value_errors.h"
#include "protean/generative/generated_shots.h"
#include "protean/tasks/task_list.h"

#include "cli/commands.h"
#include "cli/eval_print.h"
#include "cli/known_classes.h"
#include "cli/meta_dataset.h"
#include "cli/open_features.h"
#include "cli/open_run.h"
#include "cli/print_errors.h"
#include "cli/study.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run directory whose checkpoint is evaluated"},
    checkpoint_flag(),
    {"per-task",
     "FILE",
     "",
     "write every task's result, .json or CSV",
     {"out", "output"}},
    {"task-list", "FILE", "", "evaluate on exactly these tasks"},
    {"save-task-list", "FILE", "", "write the tasks that are evaluated on"},
    {"across", "LIST", "",
     "on several domains: test, rotated, inverted, alphabets, NAME=PATH"},
    {"study", "KIND", "",
     "classes or alphabets (of runs A,B,...), shots or domains (of one run), "
     "augmentation (of one that makes images)"},
    {"shots", "LIST", "",
     "of --study shots (1,2,3,5,10) and augmentation (5,10,15)"},
    {"arms", "LIST", "",
     "rows of --study augmentation "
     "(none,copies,classical,generated,both,alone,oracle,ceiling)"},
    {"generated", "N", "", "images per class, of --study augmentation (128)"},
    {"temperature", "X", "", "of these: above 1, they differ more (1)"},
    {"repeats", "N", "", "with other images to learn from, of the same (3)"},
    {"steps", "N", "", "of each classifier, of the same (600)"},
    {"strict", "true|false", "",
     "refuse classes that something was trained on; usually of eval.stream and "
     "--study alone"},
    {"csv", "FILE", "", "write the rows of --across or --study"},
    {"svg", "FILE", "", "draw the rows of --study"},
    {"protocol", "NAME", "",
     "omniglot-one-shot (the 20 within-alphabet runs, from --data) or "
     "meta-dataset (eval.tasks episodes of every source)"},
    {"data", "DIR", "",
     "of --protocol: folder with run01, run02, ...; or records other than the "
     "run's"},
    {"with", "LIST", "",
     "of --protocol meta-dataset: other models' --csv files, NAME=FILE,..."},
    {"markdown", "FILE", "", "write that table as Markdown"},
    {"latex", "FILE", "", "write that table as LaTeX"},
    {"baseline", "hausdorff", "",
     "--protocol without a run, by Modified Hausdorff distance"}};

bool by_source(const CommandLine& line) {
  return line.is_set("protocol") && line.flags.at("protocol") == "meta-dataset";
}

bool by_baseline(const CommandLine& line) {
  return line.is_set("protocol") && line.is_set("baseline");
}

std::filesystem::path stored_config(const CommandLine& line) {
  if (by_baseline(line)) return {};
  CommandLine first = line;
  if (line.is_set("study"))
    first.flags["run"] = first_run(line.flags.at("run"));
  return run_config(first);
}

// Flags that do nothing together are refused.
void check_flags(const CommandLine& line) {
  const auto needs = [&](const char* flag, const char* other) {
    if (line.is_set(flag) && !line.is_set(other))
      throw ConfigError(concat("--", flag, " goes with --", other));
  };
  const auto excludes = [&](const char* flag, const char* other) {
    if (line.is_set(flag) && line.is_set(other))
      throw ConfigError(concat("--", flag, " does not go with --", other));
  };
  const bool sources = by_source(line);
  if (!line.is_set("study") && !sources) needs("csv", "across");
  for (const char* flag : {"with", "markdown", "latex"})
    if (line.is_set(flag) && !sources)
      throw ConfigError(
          concat("--", flag, " goes with --protocol meta-dataset"));
  if (sources) excludes("per-task", "protocol");
  needs("svg", "study");
  needs("shots", "study");
  const bool augmentation =
      line.is_set("study") && line.flags.at("study") == "augmentation";
  for (const char* flag :
       {"arms", "generated", "temperature", "repeats", "steps"})
    if (line.is_set(flag) && !augmentation)
      throw ConfigError(concat("--", flag, " goes with --study augmentation"));
  if (line.is_set("svg") && augmentation)
    throw ConfigError("--svg does not go with --study augmentation");
  for (const char* flag : {"across", "protocol", "task-list", "save-task-list",
                           "per-task", "baseline"})
    excludes("study", flag);
  needs("data", "protocol");
  if (!sources) needs("protocol", "data");
  needs("baseline", "protocol");
  excludes("baseline", "run");
  excludes("baseline", "per-task");
  for (const char* flag : {"task-list", "save-task-list", "per-task"})
    excludes(flag, "across");
  for (const char* flag : {"task-list", "save-task-list", "across"})
    excludes(flag, "protocol");
  if (line.is_set("protocol") && !sources &&
      line.flags.at("protocol") != "omniglot-one-shot")
    throw ConfigError(concat("--protocol ", line.flags.at("protocol"),
                             "; expected one of: omniglot-one-shot, "
                             "meta-dataset"));
  if (sources && line.is_set("baseline"))
    throw ConfigError("--baseline goes with --protocol omniglot-one-shot");
  if (line.is_set("baseline") && line.flags.at("baseline") != "hausdorff")
    throw ConfigError(concat("--baseline ", line.flags.at("baseline"),
                             "; expected hausdorff"));
}

int one_shot_baseline(const CommandLine& line, World& world) {
  std::vector<double> accuracy;
  agree(*world.control, [&] {
    accuracy = modified_hausdorff(read_one_shot_runs(line.flags.at("data")));
  });
  double error = 0;
  for (double a : accuracy) error += 100 * (1 - a);
  error /= static_cast<double>(accuracy.size());
  if (world.control->rank() != 0) return kExitDone;
  if (line.json)
    print_json({{"error_percent", error},
                {"runs", accuracy.size()},
                {"mode", "inductive"},
                {"baseline", "hausdorff"}});
  else
    std::printf("error %.1f %% over %zu runs, Modified Hausdorff distance\n",
                error, accuracy.size());
  return kExitDone;
}

void report_one_shot(const CommandLine& line, const StoredRun& run,
                     const EvalResult& r) {
  const double error = 100 * (1 - r.last().accuracy);
  if (line.json) {
    auto json = r.to_json();
    json["error_percent"] = error;
    json["runs"] = r.tasks;
    json["step"] = run.step;
    print_json(json);
  } else {
    std::printf("error %.1f %% over %lld runs, %lld-way, %s\n", error,
                static_cast<long long>(r.tasks), static_cast<long long>(r.ways),
                r.transductive ? "transductive" : "inductive");
  }
}

int across(const CommandLine& line, World& world, const StoredRun& run) {
  auto& comm = *world.control;
  const auto& e = run.experiment;
  std::vector<Domain> domains;
  TrainedOn learnt;
  bool strict = false;
  agree(comm, [&] {
    domains = open_domains(e, line.flags.at("across"), "--across");
    for (auto& domain : domains)
      domain.source = with_generated_shots(e, domain.source);
    learnt = learnt_by_stored_run(line.flags.at("run"), {});
    strict = is_strict(line, false);
  });
  std::vector<DomainResult> rows;
  for (const auto& domain : domains) {
    const auto tasks = draw_tasks(domain.source, e.config.run.seed,
                                  Stream::test, line.config.eval.tasks);
    KnownClasses known;
    agree(comm, [&] {
      check_tasks(e, run.meta, tasks, "--across " + domain.name);
      known =
          check_new_classes(*domain.data, domain.how, classes_of(tasks.specs),
                            learnt, "--across " + domain.name, strict);
    });
    rows.push_back({domain.name, evaluate(e, comm, run.meta, tasks),
                    domain.turned, known});
    if (comm.rank() != 0 || line.json) continue;
    std::printf("%s: ", domain.name.c_str());
    print(rows.back().result);
  }
  if (comm.rank() != 0) return kExitDone;
  if (line.is_set("csv"))
    write_file_atomically(line.flags.at("csv"), domains_csv(rows));
  if (line.json) {
    nlohmann::json json = {{"step", run.step},
                           {"domains", nlohmann::json::array()}};
    for (const auto& row : rows) {
      auto one = row.result.to_json();
      one["domain"] = row.name;
      one["turns"] = row.turned ? "random" : "none";
      one["trained_on"] = row.known.to_json();
      json["domains"].push_back(std::move(one));
    }
    print_json(json);
  }
  return kExitDone;
}

// Of the images that a generative run makes, by each of them.
nlohmann::json qualities(const CommandLine& line, const StoredRun& run,
                         const std::vector<ImageFeatures>& features,
                         Communicator& comm) {
  auto all = nlohmann::json::array();
  on_root(comm, [&] {
    for (const auto& by : features)
      all.push_back(sample_quality(run.experiment, run.meta, by,
                                   eval_stream(line.config),
                                   run.experiment.config.eval_counts().shots));
  });
  return all;
}

// A transductive run by the moments of the support set instead, unless the user
// says whose they are.
std::optional<EvalResult> evaluate_inductive(const CommandLine& line,
                                             const StoredRun& run,
                                             Communicator& comm,
                                             const EvalTasks& tasks) {
  auto e = run.experiment;
  e.learner = inductive_twin(e);
  if (!e.learner || line.given.count("learner.query_norm") != 0) return {};
  return evaluate(e, comm, run.meta, tasks);
}

void print_inductive(const EvalResult& r) {
  std::printf(
      "with moments of the support set (learner.query_norm = support, which "
      "adapt uses):");
  if (std::isnan(r.last().accuracy))
    std::printf(" loss %.4f +- %.4f\n", r.last().loss, r.ci95);
  else
    std::printf(" %.2f %% +- %.2f\n", 100 * r.last().accuracy, 100 * r.ci95);
}

// A list, a protocol and other data sets need no split of the run's.
OpenFor purpose_of(const CommandLine& line) {
  if (line.is_set("task-list")) return OpenFor::listed;
  const bool others = line.is_set("across") &&
                      on_paths_alone(line.flags.at("across")) &&
                      !adds_generated_shots(line.config);
  if (others || (line.is_set("protocol") && !by_source(line)))
    return OpenFor::prediction;
  return OpenFor::evaluation;
}

// A list holds tasks without what the run's generator adds to them. Of a stored
// run's data all classes are for test; an earlier build's are split.
EvalTasks listed_tasks(const CommandLine& line, const Experiment& e) {
  const auto stream =
      e.config.data.stored ? Stream::test : eval_stream(line.config);
  EvalTasks tasks{e.tasks.ptr(stream),
                  read_task_list(line.flags.at("task-list"), e.tasks)};
  if (adds_generated_shots(e.config))
    for (auto& spec : tasks.specs)
      spec = GeneratedShots::with(spec, e.config.run.seed);
  return tasks;
}

void save_tasks(const CommandLine& line, const Experiment& e,
                std::vector<TaskSpec> specs) {
  if (adds_generated_shots(e.config))
    for (auto& spec : specs) spec = GeneratedShots::without(spec);
  write_task_list(line.flags.at("save-task-list"), e.tasks, specs);
}

// A run's own eval.features may stand there all the same.
void check_no_features(const CommandLine& line, const Arguments& args) {
  for (const char* flag : {"across", "study"})
    for (const auto& a : args)
      if (line.is_set(flag) && a.starts_with("--eval.features"))
        throw ConfigError(concat("--eval.features does not go with --", flag));
}

int evaluate_run(const CommandLine& line, World& world, const Arguments& args) {
  auto& comm = *world.control;
  agree(comm, [&] {
    check_flags(line);
    check_no_features(line, args);
  });
  on_root(comm, [&] {
    for (const char* flag :
         {"csv", "svg", "per-task", "save-task-list", "markdown", "latex"})
      if (line.is_set(flag)) check_writable(line.flags.at(flag));
  });
  if (by_baseline(line)) return one_shot_baseline(line, world);
  if (line.is_set("study")) return study(line, world, args, kFlags);
  auto run = open_run(line, comm, purpose_of(line));
  const StoredRun on_host = run;
  move_to_device(line, world, run);
  if (line.is_set("across")) return across(line, world, run);
  if (by_source(line)) return meta_dataset_protocol(line, world, run);
  const auto& e = run.experiment;
  const bool protocol = line.is_set("protocol");
  const auto features = open_features(e, comm);
  EvalTasks tasks;
  std::optional<KnownClasses> known;
  agree(comm, [&] {
    const auto stream = eval_stream(line.config);
    if (protocol)
      tasks = one_shot_tasks(read_one_shot_runs(line.flags.at("data")),
                             one_shot_preparation(e));
    else if (line.is_set("task-list"))
      tasks = listed_tasks(line, e);
    else
      tasks = stream_tasks(e, stream, line.config.eval.tasks);
    check_tasks(e, run.meta, tasks,
                protocol                   ? "--protocol"
                : line.is_set("task-list") ? "--task-list"
                                           : "eval.ways");
    if (!protocol) known = check_evaluated(line, e, tasks.specs);
  });
  const auto result = evaluate(e, comm, run.meta, tasks);
  std::optional<EvalResult> inductive;
  if (!protocol) inductive = evaluate_inductive(line, run, comm, tasks);
  const auto quality = qualities(line, on_host, features, comm);
  std::vector<ValueErrors> errors;
  on_root(comm, [&] { errors = value_errors(e, run.meta, tasks); });
  if (comm.rank() != 0) return kExitDone;
  if (line.is_set("save-task-list")) save_tasks(line, e, tasks.specs);
  if (line.is_set("per-task"))
    write_per_task(line.flags.at("per-task"), result, tasks,
                   protocol ? nullptr : e.tasks.examples.get());
  if (protocol) {
    report_one_shot(line, run, result);
  } else if (line.json) {
    auto json = result.to_json();
    json["step"] = run.step;
    if (known) json["trained_on"] = known->to_json();
    if (inductive) {
      const auto all = inductive->to_json();
      for (const char* key : {"accuracy", "ci95", "loss", "ece", "mode"})
        json["inductive"][key] = all.at(key);
    }
    if (!quality.empty()) json["quality"] = quality;
    for (const auto& error : errors) json["errors"].push_back(to_json(error));
    print_json(json);
  } else {
    print(result);
    if (inductive) print_inductive(*inductive);
    for (const auto& error : errors) print(error);
    for (const auto& q : quality) print_quality(q);
  }
  return kExitDone;
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {
    "eval.tasks",  "eval.ways",     "eval.shots",         "eval.queries",
    "eval.stream", "eval.features", "learner.eval_steps", "data.path",
    "data.split",  "run.threads",   "comm.ranks"};

}  // namespace

int run_eval(const Arguments& args) {
  if (print_help(args,
                 "eval --run DIR [--eval.tasks 600] [--section.key value]...",
                 kFlags, kUsual))
    return kExitDone;
  return with_world("eval", args, kFlags, stored_config,
                    [&](const CommandLine& line, World& world) {
                      return evaluate_run(line, world, args);
                    });
}

}  // namespace protean
