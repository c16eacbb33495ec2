#include "trainer/run_files.h"

#include <filesystem>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/run/chosen_checkpoint.h"

#include "trainer/identity.h"

namespace protean {
namespace {

// So that Markdown shows the lines as they are.
std::string indented(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

// As config.ini: what stands there already is not written again.
void write_data(const std::filesystem::path& path, const nlohmann::json& data) {
  const auto text = data.dump() + "\n";
  std::error_code error;
  if (!std::filesystem::exists(path, error) || read_file(path) != text)
    write_file_atomically(path, text);
}

}  // namespace

RunFiles::RunFiles(const Experiment& experiment, const RunContext& context,
                   const Setbacks& setbacks, const nlohmann::json& identity,
                   TrainingState& state)
    : experiment_(experiment),
      context_(context),
      identity_(identity),
      state_(state) {
  const auto& config = experiment.config;
  const bool back = setbacks.count > 0;
  const bool go_on = back || context.resume == "auto";
  const bool from_another =
      context.resume != "none" && context.resume != "auto";
  // Another run's state comes first: without it there is no new run. Of this
  // run's own, only the holder of its lock may be sure.
  if (!go_on && from_another) restore(context.resume);
  folder_ = std::make_unique<RunDirectory>(config.run.dir, go_on);
  const auto fallback = fallback_checkpoints(config.checkpoint, config.run.dir);
  if (setbacks.dead_end >= 0)
    for (const auto& checkpoints : {folder_->checkpoints_path(), fallback})
      drop_checkpoints_from(checkpoints, setbacks.dead_end);
  if (go_on) restore(config.run.dir);
  // It diverged before its first checkpoint.
  if (go_on && resumed_from_ < 0 && from_another) restore(context.resume);
  if (go_on && folder_->done() && state.step >= config.run.steps) return;
  if (state.step > config.run.steps)
    throw ConfigError(concat("run.steps = ", config.run.steps, ", but ",
                             resumed_folder_, " holds step ", state.step,
                             "; expected at least ", state.step));
  folder_->clear_done();
  folder_->write_config(context.config_text);
  write_data(folder_->path() / "data.json", context.data);
  cut_back(folder_->metrics_path(), state.step);
  metrics_ = std::make_unique<MetricsLog>(folder_->metrics_path());
  if (config.run.tensorboard) {
    events_ = std::make_unique<EventFile>(folder_->path(), state.step);
    events_->text(state.step, "config.ini",
                  "    " + indented(context.config_text));
    events_->flush();
  }
  writer_ = std::make_unique<CheckpointWriter>(folder_->checkpoints_path(),
                                               fallback, config.checkpoint);
  progress_ = std::make_unique<Progress>(config.run.steps, config.run.quiet);
}

void RunFiles::record(const nlohmann::json& line) {
  metrics_->write(line);
  if (!events_) return;
  std::vector<std::pair<std::string, double>> values;
  for (const auto& [key, value] : line.items())
    if (key != "step" && value.is_number())
      values.emplace_back(key, value.get<double>());
  events_->scalars(line.at("step").get<int64_t>(), values);
  events_->flush();
}

void RunFiles::restore(const std::string& run_dir) {
  const auto& config = experiment_.config;
  const bool another = run_dir == context_.resume;
  const auto found =
      find_checkpoint(std::filesystem::path(run_dir) / "checkpoints",
                      fallback_checkpoints(config.checkpoint, run_dir),
                      another ? context_.checkpoint : "latest");
  if (!found) {
    if (another)
      throw ConfigError("--resume " + run_dir +
                        ": no checkpoint there; expected the folder of a run");
    return;
  }
  check_identity(found->state.extra.at("identity"), identity_,
                 context_.defaults, config.reduction == "exact");
  from_checkpoint(found->state, experiment_.learner->spaces(), state_);
  resumed_from_ = state_.step;
  resumed_folder_ = found->folder.string();
  if (run_dir != config.run.dir && state_.step > config.run.steps)
    throw ConfigError(concat("run.steps = ", config.run.steps,
                             ", but --resume ", run_dir, " holds step ",
                             state_.step, "; expected at least ", state_.step));
}

nlohmann::json RunFiles::stored_summary() const {
  const auto path = folder_->path() / "summary.json";
  std::error_code error;
  auto summary = std::filesystem::exists(path, error)
                     ? nlohmann::json::parse(read_file(path), nullptr, false)
                     : nlohmann::json::object();
  return summary.is_object() ? summary : nlohmann::json::object();
}

}  // namespace protean
