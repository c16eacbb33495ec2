#include "protean/tasks/open_tasks.h"

#include <charconv>
#include <filesystem>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/lists.h"
#include "protean/core/settings.h"
#include "protean/data/keys.h"
#include "protean/data/open_dataset.h"
#include "protean/data/stored_data.h"
#include "protean/data/table.h"
#include "protean/data/text.h"
#include "protean/data/wrappers.h"
#include "protean/tasks/distorted_tasks.h"
#include "protean/tasks/domain_tasks.h"
#include "protean/tasks/environment_tasks.h"
#include "protean/tasks/flat_batches.h"
#include "protean/tasks/group_tasks.h"
#include "protean/tasks/keys.h"
#include "protean/tasks/nway_kshot.h"
#include "protean/tasks/set_tasks.h"
#include "protean/tasks/sinusoid.h"

#include "tasks/by_weight.h"
#include "tasks/open_records.h"

namespace protean {
namespace {

std::string checksum_of(const ClassDataset& data, const Splits& splits) {
  Sha256 sha;
  const std::string content = data.checksum();
  sha.add(content.data(), content.size());
  for (const auto* ids : {&splits.train, &splits.validation, &splits.test}) {
    const uint64_t n = ids->size();
    sha.add(&n, sizeof n);
    sha.add(ids->data(), n * sizeof(uint32_t));
  }
  return sha.hex();
}

// Each key by itself: whether the data reads it is for the configuration to
// say, which evaluation on other data changes.
void check_values(const DataOptions& data, const TaskOptions& task) {
  DataOptions d;
  TaskOptions t;
  Settings s;
  fields(s, d);
  fields(s, t);
  d = data;
  t = task;
  for (const auto& setting : s.all()) setting.check();
}

void check_counts(const TaskCounts& counts, const CountKeys& keys) {
  for (const auto& [key, value] :
       {std::pair(keys.ways, counts.ways), std::pair(keys.shots, counts.shots),
        std::pair(keys.queries, counts.queries)})
    if (value == 0) throw ConfigError(concat(key, " = 0; expected at least 1"));
}

// What needs no files: a family of functions, or an environment. identity: all
// that its tasks depend on.
template <typename Make>
TaskSources open_computed(const DataOptions& data, const TaskOptions& task,
                          const TaskCounts& eval, const std::string& identity,
                          const Make& make) {
  if (task.flat_batch > 0)
    throw ConfigError(concat("task.flat_batch = ", task.flat_batch,
                             ", but data.source = ", data.source,
                             " has no classes; expected 0"));
  TaskSources sources;
  sources.train = make(task.train_counts());
  sources.train_shape =
      sources.train->shape(sources.train->describe(0, {}, {}));
  sources.validation = sources.test = make(eval);
  sources.checksum = sha256_hex(identity.data(), identity.size());
  sources.examples_checksum = sources.checksum;
  return sources;
}

// Tasks of unequal size, and their curriculum.
void check_ranges(const DataOptions& data, const TaskOptions& task) {
  const auto least = task.train_counts();
  const auto range = [](const char* key, uint32_t most, uint32_t from) {
    if (most != 0 && most < from)
      throw ConfigError(concat(key, " = ", most, "; expected 0, or at least ",
                               from, ", what the least training task has"));
  };
  range("task.train_ways_max", task.train_ways_max, least.ways);
  range("task.train_shots_max", task.train_shots_max, least.shots);
  if (task.levels() > 0 &&
      (data.source == "sinusoid" || data.source == "table" ||
       data.source == "text" || is_environment(data.source) ||
       task.domain != "none" || task.flat_batch > 0))
    throw ConfigError(concat(
        "task.train_ways_max and task.train_shots_max are for N-way K-shot "
        "tasks of images; expected 0 with data.source = ",
        data.source, ", task.domain = ", task.domain,
        " and task.flat_batch = ", task.flat_batch));
  if (task.curriculum_steps == 0 && task.curriculum_accuracy == 0) return;
  if (task.levels() == 0)
    throw ConfigError(
        "task.curriculum_steps and task.curriculum_accuracy need unequal "
        "training tasks; expected task.train_ways_max or "
        "task.train_shots_max above the least");
  if (task.curriculum_steps > 0 && task.curriculum_accuracy > 0)
    throw ConfigError(
        "task.curriculum_steps and task.curriculum_accuracy are both set; "
        "expected one of them");
}

// The images of data.source and data.also, and the split of each.
DatasetPtr open_images(const DataOptions& data, std::vector<Splits>& by_set) {
  std::vector<DatasetPtr> sets{open_dataset(data)};
  // What a run keeps is of all sets together.
  const bool kept = data.stored && data.stored->keeps_split();
  const auto split = [&](const ClassDataset& set, const DataOptions& how) {
    return kept ? Splits() : make_splits(set, how);
  };
  if (data.also.empty()) {
    by_set = {make_splits(*sets[0], data)};
    return sets[0];
  }
  by_set = {split(*sets[0], data)};
  std::vector<std::string> names{data.path.empty() ? data.source : data.path};
  for (const auto& path : comma_separated(data.also)) {
    auto other = data;
    other.source = "auto";
    other.path = path;
    other.split = data.also_split;
    sets.push_back(open_dataset(other));
    names.push_back(std::filesystem::path(path).stem().string());
    by_set.push_back(split(*sets.back(), other));
  }
  const auto joined = std::make_shared<JoinedDataset>(sets, names);
  if (kept) {
    const auto all = make_splits(*joined, data);
    for (auto part : {&Splits::train, &Splits::validation, &Splits::test})
      for (uint32_t id : all.*part)
        (by_set[joined->set_of(id)].*part).push_back(id);
    return joined;
  }
  for (size_t i = 0; i < sets.size(); ++i)
    for (auto* ids : {&by_set[i].train, &by_set[i].validation, &by_set[i].test})
      for (uint32_t& id : *ids) id += joined->begin(i);
  return joined;
}

Splits joined(const std::vector<Splits>& by_set) {
  Splits all;
  for (const auto& own : by_set)
    for (auto part : {&Splits::train, &Splits::validation, &Splits::test})
      (all.*part).insert((all.*part).end(), (own.*part).begin(),
                         (own.*part).end());
  return all;
}

// data.weights, one for each data set.
std::vector<float> weights_of(const DataOptions& data, size_t sets) {
  std::vector<float> weights;
  for (const auto& item : comma_separated(data.weights)) {
    const char* const end = item.data() + item.size();
    float weight = 0;
    const auto read = std::from_chars(item.data(), end, weight);
    if (read.ec != std::errc() || read.ptr != end)
      throw ConfigError(concat("data.weights = \"", data.weights, "\": \"",
                               item,
                               "\" is no number; expected one for each data "
                               "set, such as 1,1"));
    weights.push_back(weight);
  }
  check_weights("data.weights", weights, sets);
  return weights;
}

// What a stored run keeps, and no tasks.
TaskSources absent_tasks(const DataOptions& data) {
  const auto& stored = *data.stored;
  TaskSources sources;
  if (data.source == "table")
    sources.examples = std::make_shared<TableDataset>(data);
  else if (data.source == "text")
    sources.examples = std::make_shared<TextDataset>(data);
  else
    sources.examples = absent_dataset(stored);
  sources.train_shape = stored.train_shape;
  sources.checksum = sources.examples_checksum = stored.checksum;
  sources.why_not.fill(
      "the run's data are not opened here; there are no tasks");
  return sources;
}

// Tasks of one stream, if they can be made; who needs others may go on.
template <typename Make>
void offer(TaskSources& sources, Stream stream, const Make& make) {
  if (sources.splits.of(stream).empty()) return;
  TaskSourcePtr* const all[] = {&sources.train, &sources.validation,
                                &sources.test};
  const auto i = static_cast<size_t>(stream);
  try {
    *all[i] = make();
  } catch (const ConfigError& e) {
    sources.why_not[i] = e.what();
  }
}

// Examples with targets of their own; null for the other sources.
LabelledPtr open_labelled(const DataOptions& data, Splits& splits) {
  if (data.source == "table") {
    const auto table = std::make_shared<TableDataset>(data);
    splits = make_splits(*table, data);
    table->standardise(splits.train);
    return table;
  }
  if (data.source != "text") return nullptr;
  const auto text = std::make_shared<TextDataset>(data);
  splits = make_splits(*text, data);
  text->count(splits.train);
  return text;
}

}  // namespace

std::vector<Entry> source_entries() {
  using Keys = std::vector<std::string>;
  const auto with = [](Keys keys, const Keys& more) {
    keys.insert(keys.end(), more.begin(), more.end());
    return keys;
  };
  const Keys files = {"data.path", "data.split", "data.train_classes",
                      "data.train_groups"};
  const Keys ways = {"task.ways", "task.train_ways", "eval.ways"};
  const auto images =
      with(with(files, ways),
           {"data.side", "data.also", "data.weights", "data.group_by",
            "data.rotations", "data.invert", "data.augment", "task.domain"});
  return {
      {"auto", "images: what data.path holds is found out", "", "", images},
      {"omniglot", "Omniglot's official layout, from a zip, a folder or a pack",
       "Lake et al. 2015", "", images},
      {"pack", "images in a file that `protean pack` wrote", "", "", images},
      {"folder",
       "images as class/image.png or group/class/image.png, also below folders "
       "train, validation and test, or a zip of such a folder",
       "", "", images},
      {"records",
       "images in the records of Meta-Dataset's conversion, or packs of them, "
       "one data set or several",
       "Triantafillou et al. 2020, arXiv:1903.03096",
       "",
       {"data.path", "data.split", "data.side", "data.augment"}},
      {"sinusoid",
       "curves y = A sin(x - p); no files",
       "Finn et al. 2017, arXiv:1703.03400",
       "",
       {}},
      {"table", "rows of a CSV file, a task for each value of a column", "", "",
       with(with(files, ways),
            {"data.target", "data.features", "data.group_by"})},
      {"text", "a folder with a .txt file per author or language", "", "",
       with(files, {"data.length", "data.vocabulary"})},
      {"point",
       "an environment: a point that is to move; no files",
       "Finn et al. 2017, arXiv:1703.03400",
       "",
       {"data.family", "data.horizon"}},
      {"bandit",
       "an environment: a bandit with several arms; no files",
       "Duan et al. 2016, arXiv:1611.02779",
       "",
       {"data.arms", "data.rewards", "data.horizon"}},
  };
}

const TaskSourcePtr& TaskSources::ptr(Stream stream) const {
  const TaskSourcePtr& source = stream == Stream::validation ? validation
                                : stream == Stream::test     ? test
                                                             : train;
  if (!source && !why_not.at(static_cast<size_t>(stream)).empty())
    throw ConfigError(why_not[static_cast<size_t>(stream)]);
  if (!source)
    throw ConfigError(concat("data.split leaves no class for ",
                             stream == Stream::validation ? "validation"
                             : stream == Stream::test     ? "test"
                                                          : "train",
                             "; expected at least task.ways classes"));
  return source;
}

TaskSources open_tasks(const DataOptions& data, const TaskOptions& task,
                       const TaskCounts& eval) {
  check_values(data, task);
  const TaskCounts train = task.train_counts(), most = task.most_counts();
  check_ranges(data, task);
  check_counts(train, task.keys_of(train, "task.train_"));
  check_counts(eval, task.keys_of(eval, "eval."));
  if (data.stored && data.stored->use == UseStored::nothing)
    return absent_tasks(data);
  if (data.source == "records") return open_records(data, task, eval);
  if (data.source == "sinusoid")
    return open_computed(
        data, task, eval, data.source, [](const TaskCounts& c) {
          return std::make_shared<Sinusoid>(c.shots, c.queries);
        });
  if (is_environment(data.source)) {
    const auto environment = make_environment(data);
    const auto identity = concat(data.source, " ", data.family, " ", data.arms,
                                 " ", data.rewards, " ", data.horizon);
    auto sources =
        open_computed(data, task, eval, identity, [&](const TaskCounts& c) {
          return std::make_shared<EnvironmentTasks>(environment, c.shots,
                                                    c.queries);
        });
    sources.environment = environment;
    return sources;
  }
  TaskSources sources;
  std::vector<Splits> by_set(1);
  const LabelledPtr labelled = open_labelled(data, by_set[0]);
  const DatasetPtr examples = labelled ? labelled : open_images(data, by_set);
  const Splits splits = joined(by_set);
  const bool rotate = data.rotations == "task";
  const bool by_domain = task.domain != "none";
  if (by_domain && (rotate || data.augment != "none"))
    throw ConfigError(
        "task.domain makes its own turns; expected data.rotations = none or "
        "classes, and data.augment = none");
  if (by_domain && task.domain != "inversion" && data.rotations == "classes")
    throw ConfigError(
        concat("task.domain = ", task.domain,
               " turns images, but data.rotations = classes makes a class of "
               "every turn; expected data.rotations = none"));
  const auto source = [&](const std::vector<uint32_t>& classes,
                          const TaskCounts& counts, const TaskCounts& most,
                          bool rotate_these, const char* what,
                          const CountKeys& keys) -> TaskSourcePtr {
    if (labelled)
      return std::make_shared<GroupTasks>(labelled, classes, counts, what,
                                          keys);
    if (by_domain)
      return std::make_shared<DomainTasks>(
          examples, classes, counts, parse_domain(task.domain), what, keys);
    NwayKshotOptions options;
    options.ways = counts.ways;
    options.shots = counts.shots;
    options.queries = counts.queries;
    options.ways_max = most.ways;
    options.shots_max = most.shots;
    options.labels = task.labels;
    options.rotate = rotate_these;
    options.keys = keys;
    return std::make_shared<NwayKshot>(examples, classes, options, what);
  };
  const bool distort = data.augment == "affine";
  const auto for_training = [&](const Splits& from) {
    auto tasks = source(from.train, train, most, rotate, "train",
                        task.keys_of(train, "task.train_"));
    if (distort) tasks = std::make_shared<DistortedTasks>(tasks);
    return tasks;
  };
  sources.examples = examples;
  sources.splits = splits;
  sources.examples_checksum = examples->checksum();
  sources.train_shape.ways = most.ways;
  sources.train_shape.support = most.ways * most.shots;
  sources.train_shape.query = most.ways * most.queries;
  sources.train_shape.input = examples->shape();
  if (labelled) sources.train_shape = GroupTasks::shape_of(*labelled, train);
  if (task.flat_batch > 0) {
    if (!data.weights.empty())
      throw ConfigError(concat("data.weights = \"", data.weights,
                               "\", but task.flat_batch makes no tasks; "
                               "expected no weights"));
    if (labelled)
      throw ConfigError(
          "task.flat_batch needs classes of images; expected 0 "
          "with data.source = " +
          data.source);
    if (rotate || by_domain)
      throw ConfigError(concat(
          rotate ? "data.rotations = task" : "task.domain = " + task.domain,
          ", but task.flat_batch makes no tasks; expected ",
          rotate ? "none or classes" : "none"));
    sources.train = std::make_shared<FlatBatches>(examples, splits.train,
                                                  task.flat_batch, distort);
    sources.train_shape =
        sources.train->shape(sources.train->describe(0, {}, {}));
  } else if (!data.weights.empty()) {
    auto weights = weights_of(data, by_set.size());
    std::vector<TaskSourcePtr> sets(by_set.size());
    for (size_t i = 0; i < sets.size(); ++i)
      if (weights[i] > 0) sets[i] = for_training(by_set[i]);
    sources.train = std::make_shared<SetTasks>(sets, std::move(weights));
  } else {
    offer(sources, Stream::train, [&] { return for_training(splits); });
  }
  for (const auto& [stream, what] :
       {std::pair(Stream::validation, "validation"), {Stream::test, "test"}})
    offer(sources, stream, [&] {
      return source(splits.of(stream), eval, eval, rotate && data.rotate_eval,
                    what, task.keys_of(eval, "eval."));
    });
  sources.checksum = checksum_of(*examples, splits);
  return sources;
}

}  // namespace protean
