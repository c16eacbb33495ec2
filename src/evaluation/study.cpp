#include "protean/evaluation/study.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "protean/comm/preflight.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/evaluation/across.h"
#include "protean/evaluation/check_tasks.h"
#include "protean/tasks/nway_kshot.h"

namespace protean {
namespace {

// Upright classes: a turned one is no more data than the class itself.
std::vector<uint32_t> upright(const ClassDataset& data,
                              const std::vector<uint32_t>& classes) {
  std::vector<uint32_t> out;
  for (uint32_t c : classes)
    if (data.quarter_turns(c) == 0) out.push_back(c);
  return out;
}

// Tasks of some classes as evaluation makes them, undistorted.
EvalTasks tasks_of(const Experiment& e, const std::vector<uint32_t>& classes,
                   const char* what, uint32_t shots, int64_t count) {
  const TaskCounts counts = e.config.eval_counts();
  NwayKshotOptions options;
  options.ways = counts.ways;
  options.shots = shots ? shots : counts.shots;
  options.queries = counts.queries;
  options.one_group = counts.one_group;
  return draw_tasks(
      std::make_shared<NwayKshot>(
          e.tasks.examples, upright(*e.tasks.examples, classes), options, what),
      e.config.run.seed, Stream::test, count);
}

// data: of test classes, which the run must not know; read as `how` says.
struct Held {
  const ClassDataset* data = nullptr;
  DataOptions how;
  KnownClasses* known = nullptr;
};

Held held_out(const Experiment& e, StudyRow& row) {
  return {e.tasks.examples.get(), e.config.data, &row.known};
}

EvalResult run_tasks(const StudyRun& run, Communicator& comm, const Held& held,
                     const std::function<EvalTasks()>& make) {
  EvalTasks tasks;
  agree(comm, [&] {
    tasks = make();
    check_tasks(run.experiment, run.meta, tasks, "--study " + run.dir);
    if (held.data)
      *held.known =
          check_new_classes(*held.data, held.how, classes_of(tasks.specs),
                            run.learnt, "--study " + run.dir, run.strict);
  });
  return evaluate(run.experiment, comm, run.meta, tasks);
}

void need_classes(const StudyRun& run, const std::string& kind) {
  const auto& config = run.experiment.config;
  if (!config.task.labels)
    throw ConfigError(concat("--study ", kind, " tells classes apart; ",
                             run.dir, " has learner.name = ",
                             config.learner.name, "; expected augmentation"));
  if (adds_generated_shots(config))
    throw ConfigError(
        concat("--study ", kind, " makes no generated shots; ", run.dir,
               " has task.generated_shots = ", config.task.generated_shots,
               "; expected --task.generated_shots 0"));
}

void need_images(const StudyRun& run) {
  const auto& tasks = run.experiment.tasks;
  if (!tasks.examples || tasks.train_shape.input.size() != 3)
    throw ConfigError(
        concat("--study needs runs on classes of images; ", run.dir,
               " has data.source = ", run.experiment.config.data.source));
}

size_t count_of(const Experiment& e, bool groups) {
  const auto classes = upright(*e.tasks.examples, e.tasks.splits.train);
  if (!groups) return classes.size();
  std::set<std::string> names;
  for (uint32_t c : classes) names.insert(e.tasks.examples->group(c));
  return names.size();
}

void by_size(const StudyRun& run, bool groups, int64_t tasks,
             Communicator& comm, Study& study) {
  const auto& e = run.experiment;
  StudyRow row;
  row.name = run.dir;
  row.x = static_cast<double>(count_of(e, groups));
  row.test = run_tasks(run, comm, held_out(e, row), [&] {
    return tasks_of(e, e.tasks.splits.test, "test", 0, tasks);
  });
  row.train = run_tasks(run, comm, {}, [&] {
    return tasks_of(e, e.tasks.splits.train, "train", 0, tasks);
  });
  study.rows.push_back(std::move(row));
}

void by_shots(const StudyRun& run, const std::vector<uint32_t>& shots,
              int64_t tasks, Communicator& comm, Study& study) {
  const auto& e = run.experiment;
  for (uint32_t k : shots) {
    StudyRow row;
    row.name = run.dir;
    row.x = k;
    row.test = run_tasks(run, comm, held_out(e, row), [&] {
      return tasks_of(e, e.tasks.splits.test, "test", k, tasks);
    });
    study.rows.push_back(std::move(row));
  }
}

void by_domain(const StudyRun& run, int64_t tasks, Communicator& comm,
               Study& study) {
  std::vector<Domain> domains;
  agree(comm, [&] {
    domains = open_domains(run.experiment, "test,rotated,inverted,alphabets",
                           "--study domains");
  });
  for (const auto& domain : domains) {
    StudyRow row;
    row.x = static_cast<double>(study.rows.size());
    row.name = domain.name;
    const Held held{domain.data.get(), domain.how, &row.known};
    row.test = run_tasks(run, comm, held, [&] {
      return draw_tasks(domain.source, run.experiment.config.run.seed,
                        Stream::test, tasks);
    });
    study.rows.push_back(std::move(row));
  }
}

}  // namespace

Study make_study(const std::string& kind, const std::vector<StudyRun>& runs,
                 const std::vector<uint32_t>& shots, int64_t tasks,
                 Communicator& comm) {
  const bool sizes = kind == "classes" || kind == "alphabets";
  agree(comm, [&] {
    const bool known =
        sizes || kind == "shots" || kind == "domains" || kind == "augmentation";
    if (!known)
      throw ConfigError(concat("--study ", kind,
                               "; expected one of: classes, alphabets, shots, "
                               "domains, augmentation"));
    if (!sizes && runs.size() != 1)
      throw ConfigError(
          concat("--study ", kind, " takes one run, got ", runs.size()));
    for (const auto& run : runs) {
      need_images(run);
      if (kind != "augmentation") need_classes(run, kind);
    }
  });
  Study study{kind, {}};
  for (const auto& run : runs)
    if (sizes) by_size(run, kind == "alphabets", tasks, comm, study);
  if (kind == "shots") by_shots(runs[0], shots, tasks, comm, study);
  if (kind == "domains") by_domain(runs[0], tasks, comm, study);
  std::stable_sort(study.rows.begin(), study.rows.end(),
                   [](const auto& a, const auto& b) { return a.x < b.x; });
  return study;
}

std::string Study::to_csv() const {
  CsvTable csv;
  for (const char* column :
       {kind.c_str(), "name", "test_accuracy", "test_ci95", "train_accuracy",
        "train_ci95", "gap", "ways", "shots", "queries", "tasks", "mode",
        "test_classes", "trained_on"})
    csv.add(std::string_view(column));
  csv.end_row();
  for (const auto& row : rows) {
    csv.add(row.x);
    csv.add(row.name);
    csv.add(row.test.last().accuracy);
    csv.add(row.test.ci95);
    const bool train = row.train.tasks > 0;
    const double accuracy = train ? row.train.last().accuracy : NAN;
    csv.add(accuracy);
    csv.add(train ? row.train.ci95 : NAN);
    csv.add(accuracy - row.test.last().accuracy);
    for (int64_t n :
         {row.test.ways, row.test.shots, row.test.queries, row.test.tasks})
      csv.add(n);
    csv.add(
        std::string_view(row.test.transductive ? "transductive" : "inductive"));
    csv.add(row.known.classes);
    csv.add(row.known.known);
    csv.end_row();
  }
  return csv.text();
}

Plot Study::to_plot() const {
  Plot plot;
  plot.title = "accuracy by " + kind;
  plot.x_label = kind == "classes"     ? "training classes"
                 : kind == "alphabets" ? "training alphabets"
                 : kind == "shots"     ? "shots at test"
                                       : "";
  plot.y_label = "accuracy, %";
  plot.log_x = kind != "domains";
  PlotSeries test{"held-out", {}, {}}, train{"training", {}, {}};
  for (const auto& row : rows) {
    if (kind == "domains")
      plot.names.push_back(row.name);
    else
      plot.x.push_back(row.x);
    test.y.push_back(100 * row.test.last().accuracy);
    test.error.push_back(100 * row.test.ci95);
    if (row.train.tasks == 0) continue;
    train.y.push_back(100 * row.train.last().accuracy);
    train.error.push_back(100 * row.train.ci95);
  }
  plot.series.push_back(std::move(test));
  if (!train.y.empty()) plot.series.push_back(std::move(train));
  return plot;
}

nlohmann::json Study::to_json() const {
  nlohmann::json json = {{"study", kind}, {"rows", nlohmann::json::array()}};
  for (const auto& row : rows) {
    nlohmann::json one = {
        {"x", row.x}, {"name", row.name}, {"test", row.test.to_json()}};
    one["test"]["trained_on"] = row.known.to_json();
    if (row.train.tasks > 0) {
      one["train"] = row.train.to_json();
      one["gap"] = row.train.last().accuracy - row.test.last().accuracy;
    }
    json["rows"].push_back(std::move(one));
  }
  return json;
}

}  // namespace protean
