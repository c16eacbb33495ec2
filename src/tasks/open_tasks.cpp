#include "protean/tasks/open_tasks.h"

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/open_dataset.h"
#include "protean/tasks/domain_tasks.h"
#include "protean/tasks/flat_batches.h"
#include "protean/tasks/nway_kshot.h"
#include "protean/tasks/sinusoid.h"

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

}  // namespace

const TaskSourcePtr& TaskSources::ptr(Stream stream) const {
  const TaskSourcePtr& source = stream == Stream::validation ? validation
                                : stream == Stream::test     ? test
                                                             : train;
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
  if (data.augment != "none" && data.augment != "affine")
    throw ConfigError(concat("data.augment = \"", data.augment,
                             "\"; expected one of: none, affine"));
  const TaskCounts train = task.train_counts();
  TaskSources sources;
  if (data.source == "sinusoid") {
    if (task.flat_batch > 0)
      throw ConfigError(concat("task.flat_batch = ", task.flat_batch,
                               ", but data.source = sinusoid has no classes; "
                               "expected 0"));
    sources.train = std::make_shared<Sinusoid>(train.shots, train.queries);
    sources.train_shape =
        sources.train->shape(sources.train->describe(0, {}, {}));
    sources.validation = sources.test =
        std::make_shared<Sinusoid>(eval.shots, eval.queries);
    const std::string name = "sinusoid";
    sources.checksum = sha256_hex(name.data(), name.size());
    sources.examples_checksum = sources.checksum;
    return sources;
  }
  const DatasetPtr examples = open_dataset(data);
  const Splits splits = make_splits(*examples, data);
  const bool rotate = data.rotations == "task";
  const bool by_domain = task.domain != "none";
  if (by_domain && (rotate || data.augment != "none"))
    throw ConfigError(
        "task.domain makes its own turns; expected data.rotations = none or "
        "classes, and data.augment = none");
  const auto source = [&](const std::vector<uint32_t>& classes,
                          const TaskCounts& counts, bool rotate_these,
                          bool distort, const char* what) -> TaskSourcePtr {
    if (by_domain)
      return std::make_shared<DomainTasks>(examples, classes, counts,
                                           parse_domain(task.domain), what);
    NwayKshotOptions options;
    options.ways = counts.ways;
    options.shots = counts.shots;
    options.queries = counts.queries;
    options.rotate = rotate_these;
    options.distort = distort;
    return std::make_shared<NwayKshot>(examples, classes, options, what);
  };
  sources.examples = examples;
  sources.splits = splits;
  sources.examples_checksum = examples->checksum();
  sources.train_shape.ways = train.ways;
  sources.train_shape.support = train.ways * train.shots;
  sources.train_shape.query = train.ways * train.queries;
  sources.train_shape.input = examples->shape();
  const bool distort = data.augment == "affine";
  if (task.flat_batch > 0) {
    if (rotate || by_domain)
      throw ConfigError(concat(
          rotate ? "data.rotations = task" : "task.domain = " + task.domain,
          ", but task.flat_batch makes no tasks; expected ",
          rotate ? "none or classes" : "none"));
    sources.train = std::make_shared<FlatBatches>(examples, splits.train,
                                                  task.flat_batch, distort);
    sources.train_shape =
        sources.train->shape(sources.train->describe(0, {}, {}));
  } else if (!splits.train.empty()) {
    sources.train = source(splits.train, train, rotate, distort, "train");
  }
  if (!splits.validation.empty())
    sources.validation =
        source(splits.validation, eval, rotate && data.rotate_eval, false,
               "validation");
  if (!splits.test.empty())
    sources.test =
        source(splits.test, eval, rotate && data.rotate_eval, false, "test");
  sources.checksum = checksum_of(*examples, splits);
  return sources;
}

}  // namespace protean
