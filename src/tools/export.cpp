#include "protean/tools/export.h"

#include <cmath>
#include <cstdio>
#include <set>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/new_folder.h"
#include "protean/run/checkpoint.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

// Settings of how and where a run was made say nothing of the model, and hold
// paths of somebody's machine.
bool about_the_model(const std::string& key) {
  static const std::set<std::string> kSections{
      "data", "task", "model", "learner", "generator", "policy", "optim"};
  static const std::set<std::string> kPaths{
      "data.path", "data.also", "model.init_from", "generator.from"};
  return kSections.count(key.substr(0, key.find('.'))) && !kPaths.count(key);
}

struct Card {
  std::vector<IniValue> settings;
  nlohmann::json summary;
  CheckpointState state;

  std::string operator[](const std::string& key) const {
    for (const auto& s : settings)
      if (s.key == key) return s.value;
    return "";
  }
};

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

// "95.72 % +- 0.23 % (...)", or the loss where there is no accuracy.
std::string result_of(const nlohmann::json& v) {
  const auto number = [&](const char* key) {
    const auto at = v.find(key);
    return at != v.end() && at->is_number() ? at->get<double>() : NAN;
  };
  const std::string tasks =
      concat(v.value("ways", 0), "-way ", v.value("shots", 0), "-shot, ",
             v.value("queries", 0), " queries per class, ", v.value("tasks", 0),
             " tasks, ", v.value("mode", ""));
  if (std::isfinite(number("accuracy")))
    return concat(percent(number("accuracy")), " +- ", percent(number("ci95")),
                  " (", tasks, ")");
  return concat("loss ", number("loss"), " +- ", number("ci95"), " (",
                v.value("tasks", 0), " tasks)");
}

std::string config_json(const Card& card) {
  nlohmann::json settings = nlohmann::json::object();
  for (const auto& s : card.settings)
    if (about_the_model(s.key)) settings[s.key] = s.value;
  nlohmann::json c = {{"model_type", "protean"},
                      {"architectures", {card["model.name"]}},
                      {"learner", card["learner.name"]},
                      {"step", card.state.step},
                      {"theta_sha256", theta_sha256(card.state)},
                      {"settings", settings}};
  if (card.summary.contains("data_checksum"))
    c["data_checksum"] = card.summary["data_checksum"];
  return c.dump(2) + "\n";
}

std::string model_card(const Card& card, const std::string& license) {
  std::string text = "---\nlibrary_name: protean\n";
  if (!license.empty()) text += "license: " + license + "\n";
  text += "tags:\n- few-shot-learning\n- meta-learning\n- " +
          card["learner.name"] + "\n---\n\n# " + card["learner.name"] + " on " +
          card["data.source"] + "\n\n";
  std::string version;
  if (card.summary.contains("provenance")) {
    const auto& made = card.summary["provenance"];
    version = concat(" ", made.value("version", ""), " (commit ",
                     made.value("commit", ""), ")");
  }
  text += concat("Weights of `", card["learner.name"], "` after ",
                 card.state.step, " meta-steps of ", card["task.meta_batch"],
                 " tasks, meta-trained by Protean", version, ".\n\n");
  text += concat("- Training tasks: ", card["task.ways"], "-way ",
                 card["task.shots"], "-shot, split `", card["data.split"],
                 "` of `", card["data.source"], "`\n");
  const auto validation =
      card.summary.is_object()
          ? card.summary.value("validation", nlohmann::json())
          : nlohmann::json();
  if (validation.is_object())
    text += concat(
        "- Last validation of the run, on classes it was not "
        "trained on but chosen by: ",
        result_of(validation), "\n");
  text += concat("- Parameters: ", card.state.theta.size(),
                 "\n- SHA-256 of theta: `", theta_sha256(card.state), "`\n\n");
  text +=
      "## Loading\n\n```python\nfrom safetensors.torch import load_file\n"
      "theta = load_file(\"model.safetensors\")\n```\n\nEvery setting is in "
      "`config.json`, by the program's own keys.\n";
  return text;
}

}  // namespace

void export_run(const ExportOptions& options) {
  Card card;
  const auto config = options.run / "config.ini";
  if (!fs::exists(config))
    throw ConfigError(concat("export ", options.run.string(),
                             ": no config.ini there; expected the folder of a "
                             "run"));
  card.settings = read_ini(config);
  card.state = load_checkpoint(options.checkpoint);
  card.summary = nlohmann::json::object();
  if (fs::exists(options.run / "summary.json")) {
    card.summary = nlohmann::json::parse(
        read_file(options.run / "summary.json"), nullptr, false);
    if (!card.summary.is_object())
      throw DataError(concat((options.run / "summary.json").string(),
                             ": expected a JSON object"));
    // It speaks of the last step.
    if (card.summary.value("steps", int64_t{-1}) != card.state.step)
      card.summary.erase("validation");
  }
  NewFolder folder(options.out, "export");
  folder.write("model.safetensors",
               read_file(options.checkpoint / "model.safetensors"));
  folder.write("config.json", config_json(card));
  folder.write("README.md", model_card(card, options.license));
  folder.finish();
}

}  // namespace protean
