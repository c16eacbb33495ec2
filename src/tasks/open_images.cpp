// Images in classes: what is in files, and the N-way K-shot tasks of them.
#include <filesystem>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/log.h"
#include "protean/data/open_dataset.h"
#include "protean/data/stored_data.h"
#include "protean/data/wrappers.h"
#include "protean/tasks/distorted_tasks.h"
#include "protean/tasks/domain_tasks.h"
#include "protean/tasks/flat_batches.h"
#include "protean/tasks/nway_kshot.h"
#include "protean/tasks/set_tasks.h"

#include "tasks/by_weight.h"
#include "tasks/source_rows.h"

namespace protean {
namespace {

// The images of data.source and data.also, and the split of each.
DatasetPtr open_images(const DataOptions& data, std::vector<Splits>& by_set) {
  std::string skipped;
  std::vector<DatasetPtr> sets{open_dataset(data, &skipped)};
  // What a run keeps is of all sets together.
  const bool kept = data.stored && data.stored->keeps_split();
  const auto split = [&](const ClassDataset& set, const DataOptions& how) {
    return kept ? Splits() : make_splits(set, how);
  };
  if (data.also.empty()) {
    by_set = {make_splits(*sets[0], data)};
    if (!data.path.empty())
      log_info(concat(data.path, ": ", summary(*sets[0], by_set[0]),
                      skipped.empty() ? "" : ", " + skipped));
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

Splits all_of(const std::vector<Splits>& by_set) {
  Splits all;
  for (const auto& own : by_set)
    for (auto part : {&Splits::train, &Splits::validation, &Splits::test})
      (all.*part).insert((all.*part).end(), (own.*part).begin(),
                         (own.*part).end());
  return all;
}

// What options rule out of each other.
void check(const DataOptions& data, const TaskOptions& task) {
  const bool rotate = data.rotations == "task";
  const bool by_domain = task.domain != "none";
  if (by_domain || task.flat_batch > 0) refuse_ranges(data, task);
  if (by_domain && (rotate || data.augment != "none"))
    throw ConfigError(
        "task.domain makes its own turns; expected data.rotations = none or "
        "classes, and data.augment = none");
  if (by_domain && task.domain != "inversion" && data.rotations == "classes")
    throw ConfigError(
        concat("task.domain = ", task.domain,
               " turns images, but data.rotations = classes makes a class of "
               "every turn; expected data.rotations = none"));
  if (task.flat_batch == 0) return;
  if (!data.weights.empty())
    throw ConfigError(concat("data.weights = \"", data.weights,
                             "\", but task.flat_batch makes no tasks; "
                             "expected no weights"));
  if (rotate || by_domain)
    throw ConfigError(concat(
        rotate ? "data.rotations = task" : "task.domain = " + task.domain,
        ", but task.flat_batch makes no tasks; expected ",
        rotate ? "none or classes" : "none"));
}

// Makes tasks of images as the options say.
class ImageTasks {
 public:
  ImageTasks(const DataOptions& data, const TaskOptions& task,
             DatasetPtr images)
      : data_(data), task_(task), images_(std::move(images)) {}

  TaskSourcePtr training(const std::vector<uint32_t>& classes) const {
    auto tasks = of(classes, task_.train_counts(), task_.most_counts(),
                    data_.rotations == "task", "train", "task.train_");
    if (data_.augment != "affine") return tasks;
    return std::make_shared<DistortedTasks>(tasks);
  }
  TaskSourcePtr evaluation(const std::vector<uint32_t>& classes,
                           const TaskCounts& counts, const char* what) const {
    return of(classes, counts, counts,
              data_.rotations == "task" && data_.rotate_eval, what, "eval.");
  }
  // Of sets by their weights.
  TaskSourcePtr weighted(const std::vector<Splits>& by_set) const {
    auto weights = parse_weights(data_.weights, by_set.size());
    std::vector<TaskSourcePtr> sets(by_set.size());
    for (size_t i = 0; i < sets.size(); ++i)
      if (weights[i] > 0) sets[i] = training(by_set[i].train);
    return std::make_shared<SetTasks>(sets, std::move(weights));
  }

 private:
  TaskSourcePtr of(const std::vector<uint32_t>& classes,
                   const TaskCounts& counts, const TaskCounts& most,
                   bool rotate, const char* what, const char* before) const {
    const auto keys = task_.keys_of(counts, before);
    if (task_.domain != "none")
      return std::make_shared<DomainTasks>(
          images_, classes, counts, parse_domain(task_.domain), what, keys);
    NwayKshotOptions options;
    options.ways = counts.ways;
    options.shots = counts.shots;
    options.queries = counts.queries;
    options.ways_max = most.ways;
    options.shots_max = most.shots;
    options.labels = task_.labels;
    options.rotate = rotate;
    options.keys = keys;
    options.one_group = counts.one_group;
    return std::make_shared<NwayKshot>(images_, classes, options, what);
  }

  const DataOptions& data_;
  const TaskOptions& task_;
  DatasetPtr images_;
};

TaskShape largest_task(const TaskCounts& most, std::vector<int64_t> image) {
  TaskShape shape;
  shape.ways = most.ways;
  shape.support = most.ways * most.shots;
  shape.query = most.ways * most.queries;
  shape.input = std::move(image);
  return shape;
}

TaskSources open(const DataOptions& data, const TaskOptions& task,
                 const TaskCounts& eval) {
  check(data, task);
  std::vector<Splits> by_set;
  TaskSources sources;
  const auto images = open_images(data, by_set);
  sources.examples = images;
  sources.splits = all_of(by_set);
  sources.examples_checksum = images->checksum();
  sources.checksum = checksum_of(*images, sources.splits);
  sources.train_shape = largest_task(task.most_counts(), images->shape());
  const ImageTasks tasks(data, task, images);
  if (task.flat_batch > 0) {
    sources.train = std::make_shared<FlatBatches>(images, sources.splits.train,
                                                  task.flat_batch,
                                                  data.augment == "affine");
    sources.train_shape =
        sources.train->shape(sources.train->describe(0, {}, {}));
  } else if (!data.weights.empty()) {
    sources.train = tasks.weighted(by_set);
  } else {
    offer(sources, Stream::train,
          [&] { return tasks.training(sources.splits.train); });
  }
  for (const auto& [stream, what] :
       {std::pair(Stream::validation, "validation"), {Stream::test, "test"}})
    offer(sources, stream, [&] {
      return tasks.evaluation(sources.splits.of(stream), eval, what);
    });
  return sources;
}

}  // namespace

SourceRows image_rows() {
  const auto keys = file_keys(
      {"task.ways", "task.train_ways", "eval.ways", "data.side", "data.also",
       "data.weights", "data.group_by", "data.rotations", "data.invert",
       "data.augment", "task.domain", "task.within", "eval.within"});
  return {
      {{"auto", "images: what data.path holds is found out", "", "", keys},
       open},
      {{"omniglot",
        "Omniglot's official layout, from a zip, a folder or a pack",
        "Lake et al. 2015", "", keys},
       open},
      {{"pack", "images in a file that `protean pack` wrote", "", "", keys},
       open},
      {{"folder",
        "images as class/image.png or group/class/image.png, also below "
        "folders train, validation and test, or a zip of such a folder",
        "", "", keys},
       open},
  };
}

}  // namespace protean
