#include "protean/evaluation/per_task.h"

#include "protean/core/atomic_file.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"

namespace protean {
namespace {

// Names with a blank in them stand in quotes, so that the list can be parted.
std::string quoted(const std::string& name) {
  if (name.find_first_of(" \"") == std::string::npos) return name;
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string class_names(const TaskSpec& spec, const ClassDataset* examples) {
  std::string names;
  for (uint32_t cls : spec.classes) {
    if (!names.empty()) names += ' ';
    names += quoted(examples->class_name(cls));
  }
  return names;
}

std::string as_csv(const EvalResult& r, const EvalTasks& tasks,
                   const ClassDataset* examples) {
  const bool classes = !r.last().task_accuracy.empty();
  const size_t steps = r.per_step.size();
  CsvTable csv;
  csv.add("task");
  if (classes) csv.add("accuracy");
  csv.add("loss");
  for (size_t k = 0; classes && k < steps; ++k) csv.add(concat("accuracy_", k));
  for (size_t k = 0; k < steps; ++k) csv.add(concat("loss_", k));
  if (examples) csv.add("classes");
  csv.end_row();
  for (size_t t = 0; t < tasks.specs.size(); ++t) {
    csv.add(static_cast<int64_t>(t));
    if (classes) csv.add(r.last().task_accuracy[t]);
    csv.add(r.last().task_loss[t]);
    if (classes)
      for (const auto& step : r.per_step) csv.add(step.task_accuracy[t]);
    for (const auto& step : r.per_step) csv.add(step.task_loss[t]);
    if (examples) csv.add(class_names(tasks.specs[t], examples));
    csv.end_row();
  }
  return csv.text();
}

std::string as_json(const EvalResult& r, const EvalTasks& tasks,
                    const ClassDataset* examples) {
  auto all = nlohmann::json::array();
  for (size_t t = 0; t < tasks.specs.size(); ++t) {
    nlohmann::json task = {{"task", t}, {"loss", r.last().task_loss[t]}};
    for (const auto& step : r.per_step)
      task["loss_per_step"].push_back(step.task_loss[t]);
    if (!r.last().task_accuracy.empty()) {
      task["accuracy"] = r.last().task_accuracy[t];
      for (const auto& step : r.per_step)
        task["accuracy_per_step"].push_back(step.task_accuracy[t]);
    }
    if (examples) {
      task["classes"] = nlohmann::json::array();
      for (uint32_t cls : tasks.specs[t].classes)
        task["classes"].push_back(examples->class_name(cls));
    }
    all.push_back(std::move(task));
  }
  return all.dump() + "\n";
}

}  // namespace

void write_per_task(const std::filesystem::path& path, const EvalResult& result,
                    const EvalTasks& tasks, const ClassDataset* examples) {
  write_file_atomically(path, path.extension() == ".json"
                                  ? as_json(result, tasks, examples)
                                  : as_csv(result, tasks, examples));
}

}  // namespace protean
