// The records of Meta-Dataset's conversion.
#include "protean/core/error.h"
#include "protean/core/workers.h"
#include "protean/data/records/meta_dataset.h"
#include "protean/tasks/distorted_tasks.h"
#include "protean/tasks/meta_dataset_tasks.h"

#include "tasks/by_weight.h"
#include "tasks/source_rows.h"

namespace protean {
namespace {

// What the specs and the benchmark's rule decide.
void check_settings(const DataOptions& data, const TaskOptions& task,
                    const TaskCounts& eval) {
  const TaskOptions usual;
  const auto fixed = [](const char* key, uint32_t value, uint32_t standard) {
    if (value != standard)
      throw ConfigError(concat(key, " = ", value,
                               " does nothing with data.source = records, "
                               "whose tasks draw it; expected its default, ",
                               standard));
  };
  fixed("task.shots", task.shots, usual.shots);
  fixed("task.queries", task.queries, usual.queries);
  fixed("task.train_shots", task.train_shots, usual.train_shots);
  fixed("task.train_queries", task.train_queries, usual.train_queries);
  fixed("task.train_ways_max", task.train_ways_max, usual.train_ways_max);
  fixed("task.train_shots_max", task.train_shots_max, usual.train_shots_max);
  fixed("task.flat_batch", task.flat_batch, usual.flat_batch);
  fixed("eval.shots", eval.shots, usual.shots);
  fixed("eval.queries", eval.queries, usual.queries);
  if (data.side < 1 || data.side > 1024)
    throw ConfigError(
        concat("data.side = ", data.side, "; expected 1 to 1024 pixels"));
  if (data.split != DataOptions().split && data.split != "stored")
    throw ConfigError(concat("data.split = \"", data.split,
                             "\"; expected stored, that of each data set's "
                             "spec, with data.source = records"));
  if (!task.labels)
    throw ConfigError(
        "data.source = records makes tasks of many labelled classes; expected "
        "another with a generative learner");
}

TaskSources open(const DataOptions& data, const TaskOptions& task,
                 const TaskCounts& eval) {
  check_settings(data, task, eval);
  const auto examples =
      open_meta_dataset(data.path, data.sets, data.side, data.io);
  const size_t sets = examples->sources().size();
  const auto weights = data.weights.empty() ? std::vector<float>(sets, 1)
                                            : parse_weights(data.weights, sets);
  auto options = task.episode;
  if (task.sampler == "flat") options.ignore_hierarchy = 1;
  TaskSources sources;
  sources.unequal = true;
  sources.examples = examples;
  sources.splits = examples->splits();
  sources.examples_checksum = sources.checksum = examples->checksum();
  const auto tasks = [&](Stream split) -> TaskSourcePtr {
    if (sources.splits.of(split).empty()) return nullptr;
    return std::make_shared<MetaDatasetTasks>(examples, split, weights, options,
                                              usable_cores());
  };
  sources.train = tasks(Stream::train);
  sources.validation = tasks(Stream::validation);
  sources.test = tasks(Stream::test);
  sources.train_shape = largest_shape(options, examples->shape());
  if (sources.train && data.augment == "affine")
    sources.train = std::make_shared<DistortedTasks>(sources.train);
  return sources;
}

}  // namespace

SourceRows record_rows() {
  return {
      {{"records",
        "images in the records of Meta-Dataset's conversion, or packs of them, "
        "one data set or several",
        "Triantafillou et al. 2020, arXiv:1903.03096",
        "",
        {"data.path", "data.split", "data.side", "data.augment", "data.sets",
         "data.weights", "data.io", "task.sampler", "task.ignore_hierarchy",
         "task.min_ways", "task.max_ways", "task.fixed_ways",
         "task.fixed_shots", "task.max_queries", "task.max_support",
         "task.max_class_support"}},
       open},
  };
}

}  // namespace protean
