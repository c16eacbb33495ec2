#include "protean/experiment/run_data.h"

#include <filesystem>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/settings.h"
#include "protean/data/keys.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
  return path.empty() ? "" : fs::absolute(path).lexically_normal().string();
}

// Another value of one of these asks for another split than the run's.
nlohmann::json split_keys(const DataOptions& data) {
  DataOptions copy;
  Settings s;
  fields(s, copy);
  copy = data;
  nlohmann::json keys;
  for (const char* key :
       {"data.split", "data.split_seed", "data.split_validation",
        "data.split_test", "data.also", "data.also_split", "data.group_by",
        "data.train_classes", "data.train_groups"})
    keys[key] = s.value(key);
  return keys;
}

struct RunData {
  StoredData data;
  nlohmann::json keys;
};

// Null where the run keeps nothing.
std::shared_ptr<RunData> read_run_data(const std::string& run_dir) {
  const auto path = fs::path(run_dir) / "data.json";
  std::error_code error;
  if (!fs::exists(path, error)) return nullptr;
  try {
    const auto record = nlohmann::json::parse(read_file(path));
    if (!record.contains("shape")) return nullptr;
    return std::make_shared<RunData>(
        RunData{stored_data_from(record), record.at("keys")});
  } catch (const nlohmann::json::exception& e) {
    throw DataError(concat(path.string(), ": ", e.what(),
                           "; expected what the run keeps of its data"));
  }
}

UseStored use_of(OpenFor purpose, bool own_split) {
  if (purpose == OpenFor::prediction) return UseStored::nothing;
  if (purpose == OpenFor::listed) return UseStored::listed;
  if (!own_split) return UseStored::values;
  return purpose == OpenFor::training ? UseStored::exactly : UseStored::split;
}

std::string counts(const StoredData& d) {
  return concat(d.classes(), " classes (", d.train.size(), " train, ",
                d.validation.size(), " validation, ", d.test.size(), " test)");
}

void check_there(const Config& config, const StoredData& stored) {
  const auto& path = config.data.path;
  std::error_code error;
  if (path.empty() || fs::exists(path, error)) return;
  if (stored.use == UseStored::listed)
    throw ConfigError(
        concat("data.path = ", path,
               ": no such file or folder; expected the images "
               "that --task-list names, there or where --data.path says"));
  throw ConfigError(concat("data.path = ", path,
                           ": no such file or folder, which the run was split "
                           "from, ",
                           counts(stored),
                           "; expected it there or where --data.path says; "
                           "adapt, generate and export need none of it"));
}

}  // namespace

nlohmann::json data_json(const Experiment& e) {
  const auto& data = e.config.data;
  if (!e.tasks.examples)
    return {{"source", data.source},
            {"path", ""},
            {"checksum", e.tasks.examples_checksum},
            {"split",
             {{"train", nlohmann::json::array()},
              {"validation", nlohmann::json::array()},
              {"test", nlohmann::json::array()}}}};
  auto stored = describe(*e.tasks.examples, data, e.tasks.splits);
  stored.path = absolute(data.path);
  for (const auto& path : comma_separated(data.also))
    stored.also.push_back(absolute(path));
  stored.train_shape = e.tasks.train_shape;
  auto record = to_json(stored);
  record["source"] = data.source;
  record["keys"] = split_keys(data);
  return record;
}

void use_run_data(Config& config, const std::string& run_dir, OpenFor purpose,
                  const AskedOfRun& asked) {
  const auto run = read_run_data(run_dir);
  if (!run) return;
  auto& stored = run->data;
  auto& data = config.data;
  std::error_code error;
  // A random split is not drawn again; another one that other data have is
  // taken where it is asked for.
  const bool other = asked.split && data.split != "random";
  stored.use = use_of(purpose, !other && split_keys(data) == run->keys);
  if (stored.use == UseStored::nothing && asked.path)
    throw ConfigError(concat("data.path = ", data.path,
                             " does nothing here: the run keeps all that this "
                             "needs of its data"));
  if (!asked.path && !stored.path.empty() &&
      (fs::exists(stored.path, error) || !fs::exists(data.path, error)) &&
      !fs::equivalent(stored.path, data.path, error))
    data.path = stored.path;
  // A continued run keeps the words that it was started with.
  if (!asked.also && !data.also.empty() && purpose != OpenFor::training) {
    data.also.clear();
    for (const auto& path : stored.also)
      data.also += (data.also.empty() ? "" : ",") + path;
  }
  if (stored.use != UseStored::nothing && !asked.path)
    check_there(config, stored);
  data.stored = std::shared_ptr<const StoredData>(run, &stored);
}

}  // namespace protean
