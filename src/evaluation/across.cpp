#include "protean/evaluation/across.h"

#include <filesystem>
#include <map>

#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/log.h"
#include "protean/data/ink.h"
#include "protean/data/open_dataset.h"
#include "protean/data/wrappers.h"
#include "protean/tasks/nway_kshot.h"

namespace protean {
namespace {

std::vector<uint32_t> all_classes(const ClassDataset& data) {
  std::vector<uint32_t> ids(data.classes());
  for (uint32_t c = 0; c < ids.size(); ++c) ids[c] = c;
  return ids;
}

class Opener {
 public:
  Opener(const Experiment& e, const std::string& flag) : e_(e), flag_(flag) {
    if (!e.tasks.examples || e.tasks.train_shape.input.size() != 3)
      throw ConfigError(
          concat(flag, " needs a run on classes of images; ",
                 "this one has data.source = ", e.config.data.source));
  }

  void open(const std::string& item) {
    const auto& examples = e_.tasks.examples;
    const size_t equals = item.find('=');
    if (item == "test") {
      add(item, examples, test_classes(), own_data());
    } else if (item == "rotated") {
      add(item, examples, test_classes(), own_data(), /*rotate=*/true);
    } else if (item == "inverted") {
      auto how = own_data();
      how.invert = !how.invert;
      add(item, std::make_shared<InvertedDataset>(examples), test_classes(),
          how);
    } else if (item == "alphabets") {
      add_groups();
    } else {
      const bool named = equals != std::string::npos;
      add_path(named ? item.substr(0, equals) : item,
               named ? item.substr(equals + 1) : item);
    }
  }

  std::vector<Domain> domains;

 private:
  // Upright, so that all rows measure the same: a class that is turned already
  // could meet itself in a task of `rotated`.
  std::vector<uint32_t> test_classes() const {
    e_.tasks.of(Stream::test);  // throws when there is none
    std::vector<uint32_t> upright;
    for (uint32_t c : e_.tasks.splits.test)
      if (e_.tasks.examples->quarter_turns(c) == 0) upright.push_back(c);
    return upright;
  }

  void add(const std::string& name, DatasetPtr data,
           std::vector<uint32_t> classes, const DataOptions& how,
           bool rotate = false) {
    const TaskCounts counts = e_.config.eval_counts();
    NwayKshotOptions options;
    options.ways = counts.ways;
    options.shots = counts.shots;
    options.queries = counts.queries;
    options.rotate = rotate;
    options.one_group = counts.one_group;
    options.labels = e_.config.task.labels;
    domains.push_back(
        {name,
         std::make_shared<NwayKshot>(data, std::move(classes), options, name),
         data, how, rotate});
  }

  void add_groups() {
    std::map<std::string, std::vector<uint32_t>> groups;
    for (uint32_t c : test_classes())
      groups[e_.tasks.examples->group(c)].push_back(c);
    const uint32_t ways = e_.config.eval_counts().ways;
    for (const auto& [group, classes] : groups) {
      if (classes.size() < ways)
        log_shared_warning(concat(flag_, ": ", group, " has ", classes.size(),
                                  " classes, fewer than task.ways = ", ways,
                                  ", and is left out"));
      else
        add(group.empty() ? "(no group)" : group, e_.tasks.examples, classes,
            own_data());
    }
  }

  void add_path(const std::string& name, const std::string& path) {
    if (!std::filesystem::exists(path))
      throw ConfigError(concat(flag_, " ", name, ": no such file or folder ",
                               path,
                               "; expected test, rotated, inverted, alphabets "
                               "or NAME=PATH"));
    const auto& shape = e_.tasks.examples->shape();
    DataOptions options;
    options.source = "auto";
    options.path = path;
    options.side = e_.config.data.side;
    options.filter = e_.config.data.filter;
    options.fit = e_.config.data.fit;
    options.channels = static_cast<uint32_t>(shape.at(0));
    options.invert = e_.config.data.invert;
    options.group_by = e_.config.data.group_by;
    auto data = open_dataset(options);
    if (has_other_ink(*data)) {
      log_info(concat(flag_, " ", name, ": dark ink on light paper, which the ",
                      "run has as light on dark: every value v becomes 1 - v"));
      options.invert = !options.invert;
      data = open_dataset(options);
    }
    if (data->shape() != shape)
      throw ConfigError(concat(flag_, " ", name, ": examples of another shape ",
                               "than those the run was trained on"));
    auto classes = all_classes(*data);
    add(name, std::move(data), std::move(classes), options);
  }

  // Drawings of a folder, dark on light, where the run knows ink as 1.
  bool has_other_ink(const ClassDataset& data) const {
    return e_.tasks.examples->ink() && !e_.config.data.invert && !data.ink() &&
           is_dark_on_light(data);
  }

  const DataOptions& own_data() const { return e_.config.data; }

  const Experiment& e_;
  const std::string& flag_;
};

}  // namespace

std::vector<Domain> open_domains(const Experiment& experiment,
                                 const std::string& list,
                                 const std::string& flag) {
  Opener opener(experiment, flag);
  for (const auto& item : comma_separated(list))
    if (!item.empty()) opener.open(item);
  if (opener.domains.empty())
    throw ConfigError(concat(flag, " \"", list,
                             "\"; expected test, rotated, inverted, alphabets "
                             "or NAME=PATH, comma-separated"));
  return std::move(opener.domains);
}

bool on_paths_alone(const std::string& list) {
  for (const auto& item : comma_separated(list))
    for (const char* own : {"test", "rotated", "inverted", "alphabets"})
      if (item == own) return false;
  return true;
}

std::string domains_csv(const std::vector<DomainResult>& rows) {
  CsvTable csv;
  for (const char* column :
       {"domain", "accuracy", "ci95", "loss", "ece", "ways", "shots",
        "generated_shots", "queries", "tasks", "mode", "turns", "test_classes",
        "trained_on"})
    csv.add(std::string_view(column));
  csv.end_row();
  for (const auto& [name, r, turned, known] : rows) {
    csv.add(name);
    for (double v : {r.last().accuracy, r.ci95, r.last().loss, r.ece})
      csv.add(v);
    for (int64_t n : {r.ways, r.shots, r.generated_shots, r.queries, r.tasks})
      csv.add(n);
    csv.add(std::string_view(r.transductive ? "transductive" : "inductive"));
    csv.add(std::string_view(turned ? "random" : "none"));
    csv.add(known.classes);
    csv.add(known.known);
    csv.end_row();
  }
  return csv.text();
}

}  // namespace protean
