#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "protean/core/error.h"
#include "protean/core/svg_plot.h"
#include "protean/tools/report.h"

#include "tools/html.h"

namespace protean {
namespace {

using namespace html;

constexpr size_t kPoints = 160;  // of a curve that is drawn

// Points of percent.
std::string points(double share) {
  if (!std::isfinite(share)) return "–";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", 100 * share);
  return text;
}

// NaN where the line has no such number.
double value_of(const nlohmann::json& line, const char* key) {
  const auto at = line.find(key);
  return at != line.end() && at->is_number() ? at->get<double>() : NAN;
}

std::string text_of(const nlohmann::json& value) {
  if (value.is_null()) return "–";
  if (value.is_number_float()) return number(value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string setting(const ReportedRun& run, const std::string& key) {
  for (const auto& [name, value] : run.settings)
    if (name == key) return value;
  return "";
}

// One key of lines of each run over their steps. Runs that log at other steps
// share no points: each point belongs to the runs that have it.
std::optional<Plot> curves(const std::vector<ReportedRun>& runs,
                           std::vector<nlohmann::json> ReportedRun::*lines,
                           const char* key, const char* error, bool thin) {
  struct Logged {
    double x, y, error;
    size_t run;
  };
  std::vector<Logged> logged;
  for (size_t r = 0; r < runs.size(); ++r) {
    Curve curve, errors;
    for (const auto& line : runs[r].*lines) {
      curve.x.push_back(value_of(line, "step"));
      curve.y.push_back(value_of(line, key));
      errors.y.push_back(error ? value_of(line, error) : 0);
    }
    if (thin) {
      curve = thinned(curve, kPoints);
      errors.y.assign(curve.x.size(), 0);
    }
    for (size_t i = 0; i < curve.x.size(); ++i)
      if (std::isfinite(curve.y[i]))
        logged.push_back({curve.x[i], curve.y[i], errors.y[i], r});
  }
  if (logged.empty()) return std::nullopt;
  std::stable_sort(logged.begin(), logged.end(),
                   [](const Logged& a, const Logged& b) { return a.x < b.x; });
  Plot plot;
  plot.x_label = "step";
  for (const auto& run : runs) plot.series.push_back({run.name, {}, {}});
  for (const auto& p : logged) {
    if (plot.x.empty() || plot.x.back() != p.x) {
      plot.x.push_back(p.x);
      for (auto& s : plot.series) {
        s.y.push_back(NAN);
        if (error) s.error.push_back(0);
      }
    }
    auto& s = plot.series[p.run];
    s.y.back() = p.y;
    if (error) s.error.back() = std::isfinite(p.error) ? p.error : 0;
  }
  return plot;
}

std::string curve_figure(const std::vector<ReportedRun>& runs,
                         std::vector<nlohmann::json> ReportedRun::*lines,
                         const char* key, const char* error,
                         const std::string& title, const std::string& y_label) {
  const bool thin = !error;
  auto plot = curves(runs, lines, key, error, thin);
  if (!plot) return "";
  plot->title = title;
  plot->y_label = y_label;
  bool thinned_any = false;
  for (const auto& run : runs)
    thinned_any = thinned_any || (thin && (run.*lines).size() > kPoints);
  return figure(*plot, (error         ? "Bars: 95 % interval over tasks."
                        : thinned_any ? concat("Means of equal stretches, ",
                                               kPoints, " per run.")
                                      : "As logged."));
}

std::string overview(const std::vector<ReportedRun>& runs) {
  std::vector<std::vector<std::string>> rows{{"run"}};
  for (const auto& run : runs) rows[0].push_back(run.name);
  const auto row = [&](const std::string& name, const auto& of) {
    std::vector<std::string> cells{name};
    bool any = false;
    for (const auto& run : runs) {
      cells.push_back(of(run));
      any = any || (!cells.back().empty() && cells.back() != "–");
    }
    if (any) rows.push_back(std::move(cells));
  };
  const auto key = [&](const char* name, const char* k) {
    row(name, [&](const ReportedRun& r) { return setting(r, k); });
  };
  const auto fact = [&](const char* name, const char* k) {
    row(name, [&](const ReportedRun& r) {
      return r.summary.is_object() && r.summary.contains(k)
                 ? text_of(r.summary[k])
                 : std::string("–");
    });
  };
  row("state", [](const ReportedRun& r) {
    return std::filesystem::exists(r.folder / "DONE") ? std::string("done")
           : r.summary.is_object() ? "stopped, can be resumed"
                                   : "not ended yet, or killed";
  });
  key("learner", "learner.name");
  key("network", "model.name");
  row("data", [](const ReportedRun& r) {
    const auto path = setting(r, "data.path");
    return setting(r, "data.source") + (path.empty() ? "" : " " + path);
  });
  row("training tasks", [](const ReportedRun& r) {
    return setting(r, "task.ways") + "-way " + setting(r, "task.shots") +
           "-shot, " + setting(r, "task.queries") + " queries per class";
  });
  key("tasks per step", "task.meta_batch");
  fact("steps", "steps");
  fact("tasks seen", "tasks_seen");
  fact("seconds", "wall_s");
  fact("tasks per second", "tasks_per_s");
  fact("ranks", "ranks");
  fact("threads per rank", "threads");
  row("best validation", [](const ReportedRun& r) {
    const auto best = r.summary.is_object()
                          ? r.summary.value("best_validation", nlohmann::json())
                          : nlohmann::json();
    return best.is_object() ? number(value_of(best, "score")) + " at step " +
                                  text_of(best.value("step", nlohmann::json()))
                            : std::string("–");
  });
  return table(rows);
}

// What two runs' last validations differ by, as far as intervals tell: each is
// over its own tasks, so the difference's is that of independent means.
std::string differences(const std::vector<ReportedRun>& runs) {
  std::vector<std::vector<std::string>> rows{
      {"run", "validation accuracy", "minus that of " + runs.front().name}};
  double first = NAN, first_error = NAN;
  for (const auto& run : runs) {
    double accuracy = NAN, error = NAN;
    for (const auto& line : run.validations)
      if (std::isfinite(value_of(line, "validation_accuracy"))) {
        accuracy = value_of(line, "validation_accuracy");
        error = value_of(line, "validation_ci95");
      }
    if (&run == &runs.front()) {
      first = accuracy;
      first_error = error;
    }
    rows.push_back({run.name, points(accuracy) + " % +- " + points(error),
                    &run == &runs.front()
                        ? ""
                        : points(accuracy - first) + " +- " +
                              points(std::hypot(error, first_error))});
    if (!std::isfinite(accuracy)) return "";
  }
  return tag("h2", "Difference") + table(rows) +
         tag("p",
             "Last validations, points of accuracy, 95 % intervals as of "
             "independent tasks (wider than needed where runs were validated "
             "on the same tasks).");
}

std::string last_validation(const ReportedRun& run) {
  const auto v = run.summary.is_object()
                     ? run.summary.value("validation", nlohmann::json())
                     : nlohmann::json();
  if (!v.is_object()) return "";
  std::string text = tag("h3", svg_text(run.name));
  std::vector<std::vector<std::string>> rows{{"last validation", ""}};
  for (const auto& [key, value] : v.items())
    if (value.is_primitive()) rows.push_back({key, text_of(value)});
  text += table(rows);
  const auto steps = v.value("per_step", nlohmann::json::array());
  if (steps.size() < 2) return text;
  Plot plot;
  plot.title = run.name + " by inner step";
  plot.x_label = "inner step";
  const bool accuracy = std::isfinite(value_of(steps[0], "accuracy"));
  plot.y_label = accuracy ? "accuracy" : "loss";
  plot.series.push_back({plot.y_label, {}, {}});
  for (size_t k = 0; k < steps.size(); ++k) {
    plot.x.push_back(static_cast<double>(k));
    plot.series[0].y.push_back(value_of(steps[k], plot.y_label.c_str()));
  }
  return text + figure(plot, "After 0, 1, ... steps of adaptation.");
}

std::string time_of(const ReportedRun& run) {
  const char* const parts[] = {"data_s", "inner_s", "outer_s", "reduce_s",
                               "optimiser_s"};
  std::vector<std::vector<std::string>> rows{
      {run.name, "seconds per step", "share, %"}};
  std::vector<double> means;
  double all = 0;
  for (const char* part : parts) {
    double sum = 0, lines = 0;
    for (const auto& line : run.steps)
      if (std::isfinite(value_of(line, part))) {
        sum += value_of(line, part);
        ++lines;
      }
    means.push_back(lines > 0 ? sum / lines : 0);
    all += means.back();
  }
  if (all == 0) return "";
  for (size_t i = 0; i < means.size(); ++i)
    rows.push_back({parts[i], number(means[i]), number(100 * means[i] / all)});
  return table(rows);
}

std::string ranks_of(const ReportedRun& run) {
  const auto tasks =
      run.summary.is_object()
          ? run.summary.value("tasks_by_rank", nlohmann::json::array())
          : nlohmann::json::array();
  if (tasks.size() < 2) return "";
  std::vector<std::vector<std::string>> rows{{run.name, "tasks of a step"}};
  for (size_t r = 0; r < tasks.size(); ++r)
    rows.push_back({concat("rank ", r), text_of(tasks[r])});
  return table(rows);
}

std::string events_of(const ReportedRun& run) {
  if (run.events.empty()) return "";
  std::string lines;
  for (const auto& event : run.events) lines += svg_text(event) + "\n";
  return tag("h3", svg_text(run.name)) + tag("pre", lines, "tabindex=\"0\"");
}

std::string facts_of(const ReportedRun& run) {
  std::vector<std::vector<std::string>> rows{{run.name, ""}};
  if (run.summary.is_object()) {
    for (const char* key : {"theta_sha256", "state_sha256", "data_checksum"})
      if (run.summary.contains(key))
        rows.push_back({key, text_of(run.summary[key])});
    const auto made = run.summary.value("provenance", nlohmann::json::object());
    for (const auto& [key, value] : made.items())
      rows.push_back({key, text_of(value)});
  }
  return rows.size() > 1 ? table(rows) : "";
}

template <typename F>
std::string section(const std::string& title,
                    const std::vector<ReportedRun>& runs, const F& of) {
  std::string text;
  for (const auto& run : runs) text += of(run);
  return text.empty() ? "" : tag("h2", title) + text;
}

std::string settings_of(const std::vector<ReportedRun>& runs) {
  std::string text;
  if (runs.size() > 1) {
    std::vector<std::vector<std::string>> rows{{"key"}};
    for (const auto& run : runs) rows[0].push_back(run.name);
    for (const auto& row : different_settings(runs)) {
      rows.push_back({row.key});
      rows.back().insert(rows.back().end(), row.values.begin(),
                         row.values.end());
    }
    text += rows.size() > 1 ? tag("p", "What differs:") + table(rows)
                            : tag("p", "The runs have the same settings.");
  }
  for (const auto& run : runs) {
    std::string ini;
    for (const auto& [key, value] : run.settings)
      ini += key + " = " + value + "\n";
    text +=
        tag("details", tag("summary", svg_text("All settings of " + run.name)) +
                           tag("pre", svg_text(ini), "tabindex=\"0\""));
  }
  return tag("h2", "Settings") + text;
}

std::string commands_of(const ReportedRun& run) {
  const auto folder = run.folder.string();
  return tag("pre",
             svg_text("# the same again, in a new folder\nprotean train "
                      "--config " +
                      folder +
                      "/config.ini --run.dir NEW\n"
                      "# on held-out tasks\nprotean eval --run " +
                      folder + " --eval.tasks 600\n"),
             "tabindex=\"0\"");
}

}  // namespace

std::string report_page(const std::vector<ReportedRun>& runs) {
  std::string names;
  for (const auto& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  std::string body = tag("h1", svg_text(names)) + overview(runs);
  if (runs.size() > 1) body += differences(runs);
  body += tag("h2", "Curves") +
          curve_figure(runs, &ReportedRun::validations, "validation_accuracy",
                       "validation_ci95", "validation accuracy", "accuracy") +
          curve_figure(runs, &ReportedRun::steps, "accuracy", nullptr,
                       "training accuracy", "accuracy") +
          curve_figure(runs, &ReportedRun::steps, "loss", nullptr,
                       "training loss", "loss") +
          curve_figure(runs, &ReportedRun::steps, "tasks_per_s", nullptr,
                       "speed", "tasks per second") +
          curve_figure(runs, &ReportedRun::steps, "imbalance", nullptr,
                       "imbalance of ranks", "busiest rank over mean");
  body += section("Last validation", runs, last_validation);
  body += section("Where the time goes", runs, time_of);
  body += section("Ranks", runs, ranks_of);
  body += section("Warnings, errors, restarts", runs, events_of);
  body += section("Commands", runs, commands_of);
  body += settings_of(runs);
  body += section("Hashes and environment", runs, facts_of);
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta "
         "charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width\">\n" +
         tag("title", svg_text(names)) + tag("style", kStyle) + "</head>\n" +
         tag("body", tag("main", body)) + "</html>\n";
}

}  // namespace protean
