#include "cli/known_classes.h"

#include <filesystem>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/log.h"

namespace protean {
namespace {

// Runs of earlier builds have no data.json: what they were trained on is what
// their configuration gives now.
TrainedOn of_run(const std::string& dir) {
  auto all = stored_trained_on(dir);
  const auto config = std::filesystem::path(dir) / "config.ini";
  if (!all.empty() || !std::filesystem::exists(config)) return all;
  return trained_on(make_experiment(
      parse_command_line({"--config", config.string()}, {}).config));
}

void add_run(TrainedOn& all, const std::string& key, const std::string& dir) {
  if (dir.empty()) return;
  const auto what = concat(key, " = ", dir);
  try {
    add(all, of_run(dir), what);
  } catch (const Error& e) {
    log_shared_warning(
        concat(what, ": what it was trained on is not known: ", e.what()));
  }
}

}  // namespace

TrainedOn learnt_by_new_run(const Experiment& e) {
  auto all = trained_on(e);
  if (e.generator) add_run(all, "generator.from", e.config.generated.from);
  add_run(all, "model.init_from", e.config.model.init_from);
  return all;
}

TrainedOn learnt_by_stored_run(const std::string& dir,
                               const EvalOptions& options) {
  auto all = of_run(dir);
  for (const auto& name : comma_separated(options.features))
    if (!name.ends_with(".pt")) add_run(all, "eval.features", name);
  return all;
}

std::optional<KnownClasses> check_evaluated(
    const CommandLine& line, const Experiment& e,
    const std::vector<TaskSpec>& specs) {
  if (!e.tasks.examples) return {};
  const bool list = line.is_set("task-list");
  return check_new_classes(
      *e.tasks.examples, e.config.data, classes_of(specs),
      learnt_by_stored_run(line.flags.at("run"), e.config.eval),
      list ? "--task-list" : "eval.stream = " + e.config.eval.stream,
      is_strict(line, !list));
}

bool is_strict(const CommandLine& line, bool usual) {
  const auto& value = line.flags.at("strict");
  if (!value.empty() && value != "true" && value != "false")
    throw ConfigError(
        concat("--strict ", value, "; expected one of: true, false"));
  return value.empty() ? usual : value == "true";
}

}  // namespace protean
