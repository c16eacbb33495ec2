#include "protean/tasks/open_tasks.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/lists.h"
#include "protean/data/keys.h"
#include "protean/data/stored_data.h"
#include "protean/tasks/keys.h"

#include "tasks/source_rows.h"

namespace protean {
namespace {

// In the order in which they are listed to users.
const SourceRows& rows() {
  static const SourceRows all = [] {
    SourceRows joined;
    for (const auto& kind : {image_rows(), record_rows(), function_rows(),
                             labelled_rows(), environment_rows()})
      joined.insert(joined.end(), kind.begin(), kind.end());
    return joined;
  }();
  return all;
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

// What a stored run keeps, and no tasks.
TaskSources absent_tasks(const SourceRow& row, const DataOptions& data) {
  const auto& stored = *data.stored;
  TaskSources sources;
  sources.examples = row.absent ? row.absent(data) : absent_dataset(stored);
  sources.train_shape = stored.train_shape;
  sources.checksum = sources.examples_checksum = stored.checksum;
  sources.why_not.fill(
      "the run's data are not opened here; there are no tasks");
  return sources;
}

// Tasks of unequal size, and their curriculum.
void check_ranges(const TaskOptions& task) {
  const auto least = task.train_counts();
  const auto range = [](const char* key, uint32_t most, uint32_t from) {
    if (most != 0 && most < from)
      throw ConfigError(concat(key, " = ", most, "; expected 0, or at least ",
                               from, ", what the least training task has"));
  };
  range("task.train_ways_max", task.train_ways_max, least.ways);
  range("task.train_shots_max", task.train_shots_max, least.shots);
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

}  // namespace

std::vector<Entry> source_entries() {
  std::vector<Entry> entries;
  for (const auto& row : rows()) entries.push_back(row.entry);
  return entries;
}

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

void refuse_ranges(const DataOptions& data, const TaskOptions& task) {
  if (task.levels() > 0)
    throw ConfigError(concat(
        "task.train_ways_max and task.train_shots_max are for N-way K-shot "
        "tasks of images; expected 0 with data.source = ",
        data.source, ", task.domain = ", task.domain,
        " and task.flat_batch = ", task.flat_batch));
}

TaskSources computed_tasks(const DataOptions& data, const TaskOptions& task,
                           const TaskCounts& eval, const std::string& identity,
                           const MakeTasks& make) {
  refuse_ranges(data, task);
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
  check_ranges(task);
  const auto train = task.train_counts();
  check_counts(train, task.keys_of(train, "task.train_"));
  check_counts(eval, task.keys_of(eval, "eval."));
  const bool absent = data.stored && data.stored->use == UseStored::nothing;
  for (const auto& row : rows())
    if (row.entry.name == data.source)
      return absent ? absent_tasks(row, data) : row.open(data, task, eval);
  throw ConfigError(
      concat("data.source = \"", data.source, "\"; expected one of: ",
             joined(rows(), [](const auto& row) { return row.entry.name; })));
}

}  // namespace protean
