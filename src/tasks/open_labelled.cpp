// Examples with targets of their own: tables and texts.
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/data/table.h"
#include "protean/data/text.h"
#include "protean/tasks/group_tasks.h"

#include "tasks/source_rows.h"

namespace protean {
namespace {

LabelledPtr open_table(const DataOptions& data, Splits& splits) {
  const auto table = std::make_shared<TableDataset>(data);
  splits = make_splits(*table, data);
  table->standardise(splits.train);
  log_info(table->summary());
  return table;
}

LabelledPtr open_text(const DataOptions& data, Splits& splits) {
  const auto text = std::make_shared<TextDataset>(data);
  splits = make_splits(*text, data);
  text->count(splits.train);
  return text;
}

void check(const DataOptions& data, const TaskOptions& task) {
  refuse_ranges(data, task);
  if (task.flat_batch > 0)
    throw ConfigError(
        "task.flat_batch needs classes of images; expected 0 with data.source "
        "= " +
        data.source);
}

using OpenExamples = LabelledPtr (*)(const DataOptions&, Splits&);

template <OpenExamples open_examples>
TaskSources open(const DataOptions& data, const TaskOptions& task,
                 const TaskCounts& eval) {
  check(data, task);
  TaskSources sources;
  const auto examples = open_examples(data, sources.splits);
  sources.examples = examples;
  sources.examples_checksum = examples->checksum();
  sources.checksum = checksum_of(*examples, sources.splits);
  sources.train_shape = GroupTasks::shape_of(*examples, task.train_counts());
  const auto offer_tasks = [&](Stream stream, const TaskCounts& counts,
                               const char* what, const char* keys) {
    offer(sources, stream, [&] {
      return std::make_shared<GroupTasks>(examples, sources.splits.of(stream),
                                          counts, what,
                                          task.keys_of(counts, keys));
    });
  };
  offer_tasks(Stream::train, task.train_counts(), "train", "task.train_");
  offer_tasks(Stream::validation, eval, "validation", "eval.");
  offer_tasks(Stream::test, eval, "test", "eval.");
  return sources;
}

}  // namespace

SourceRows labelled_rows() {
  return {
      {{"table", "rows of a CSV file, a task for each value of a column", "",
        "",
        file_keys({"task.ways", "task.train_ways", "eval.ways", "data.target",
                   "data.target_kind", "data.features", "data.group_by"})},
       open<open_table>,
       [](const DataOptions& data) -> DatasetPtr {
         return std::make_shared<TableDataset>(data);
       }},
      {{"text", "a folder with a .txt file per author or language", "", "",
        file_keys({"data.length", "data.vocabulary"})},
       open<open_text>,
       [](const DataOptions& data) -> DatasetPtr {
         return std::make_shared<TextDataset>(data);
       }},
  };
}

}  // namespace protean
