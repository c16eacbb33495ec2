#include "experiment/training_tasks.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/lists.h"
#include "protean/core/log.h"
#include "protean/data/wrappers.h"
#include "protean/generative/analysis/clustering.h"
#include "protean/generative/generated_class.h"
#include "protean/generative/generated_shots.h"
#include "protean/generative/image_tasks.h"
#include "protean/tasks/distorted_tasks.h"
#include "protean/tasks/interpolated_tasks.h"
#include "protean/tasks/mixed_source.h"
#include "protean/tasks/nway_kshot.h"

namespace protean {
namespace {

const char* const kNames[] = {"real", "augmented", "generated", "clustered"};

using Grouping = std::vector<std::vector<ListedDataset::Example>>;

NwayKshotOptions counts_of(const Config& c) {
  const auto counts = c.task.train_counts();
  NwayKshotOptions o;
  o.ways = counts.ways;
  o.shots = counts.shots;
  o.queries = counts.queries;
  o.labels = c.task.labels;
  return o;
}

TaskSourcePtr over_all(DatasetPtr data, const NwayKshotOptions& options,
                       const std::string& what) {
  std::vector<uint32_t> all(data->classes());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  return std::make_shared<NwayKshot>(std::move(data), std::move(all), options,
                                     what);
}

// UMTRA: the same image as often as a task needs it, each time distorted.
TaskSourcePtr augmented(const Experiment& e) {
  const auto options = counts_of(e.config);
  const auto& data = e.tasks.examples;
  Grouping classes;
  for (uint32_t cls : e.tasks.splits.train)
    for (uint32_t i = 0; i < data->size(cls); ++i)
      classes.emplace_back(options.shots + options.queries,
                           ListedDataset::Example{cls, i});
  return std::make_shared<DistortedTasks>(over_all(
      std::make_shared<ListedDataset>(data, std::move(classes), "image"),
      options, "augmented"));
}

at::Tensor codes_of(const FrozenGenerator& g, const ClassDataset& data,
                    const std::vector<ListedDataset::Example>& examples) {
  constexpr size_t kChunk = 256;
  const Phi phi = g.learner->start(g.meta);
  std::vector<int64_t> shape{1, 0};
  shape.insert(shape.end(), data.shape().begin(), data.shape().end());
  std::vector<at::Tensor> codes;
  for (size_t begin = 0; begin < examples.size(); begin += kChunk) {
    shape[1] = static_cast<int64_t>(std::min(kChunk, examples.size() - begin));
    auto x = at::empty(shape, at::kFloat);
    for (int64_t i = 0; i < shape[1]; ++i) {
      const auto& e = examples[begin + static_cast<size_t>(i)];
      data.read(e.cls, e.example, x[0][i].data_ptr<float>());
    }
    codes.push_back(g.learner->embed(phi, x)[0]);
  }
  return at::cat(codes);
}

// Tasks depend on the generator's weights, wherever they lie.
std::string with_weights(const std::string& checksum,
                         const FrozenGenerator& generator) {
  Sha256 sha;
  const auto theta = generator.meta.theta.contiguous();
  sha.add(checksum.data(), checksum.size());
  sha.add(theta.data_ptr(), static_cast<size_t>(theta.nbytes()));
  return sha.hex();
}

struct Clustered {
  std::vector<TaskSourcePtr> sources;  // one for each partition
  std::string checksum;                // of the partitions
};

// Rounding of another library may move a point to another cluster, so tasks
// depend on the partitions themselves.
std::string checksum_of(const std::vector<at::Tensor>& partitions) {
  Sha256 sha;
  for (const auto& part : partitions)
    sha.add(part.const_data_ptr<int64_t>(), static_cast<size_t>(part.nbytes()));
  return sha.hex();
}

Clustered clustered(const Experiment& e, const FrozenGenerator& generator) {
  const auto options = counts_of(e.config);
  const auto& data = e.tasks.examples;
  std::vector<ListedDataset::Example> all;
  auto labels = std::vector<int64_t>();
  for (uint32_t cls : e.tasks.splits.train)
    for (uint32_t i = 0; i < data->size(cls); ++i) {
      all.push_back({cls, i});
      labels.push_back(cls);
    }
  const auto& g = e.config.generated;
  const int64_t fewest = std::max<int64_t>(2, options.ways);
  if (g.clusters < fewest || g.clusters > static_cast<int64_t>(all.size()))
    throw ConfigError(concat("generator.clusters = ", g.clusters, "; expected ",
                             fewest, ", a task's classes, to ", all.size(),
                             ", the images"));
  constexpr int kRounds = 15;
  const auto parts =
      random_partitions(codes_of(generator, *data, all), g.clusters,
                        g.partitions, kRounds, e.config.run.seed);
  const auto match = agreement(parts[0], at::tensor(labels));
  log_info(concat("clusters of ", all.size(), " training images: purity ",
                  match.purity,
                  ", normalised mutual information with the classes ",
                  match.mutual_information));
  Clustered made;
  made.checksum = checksum_of(parts);
  for (const auto& part : parts) {
    Grouping classes(static_cast<size_t>(g.clusters));
    for (size_t i = 0; i < all.size(); ++i)
      classes[static_cast<size_t>(part.const_data_ptr<int64_t>()[i])].push_back(
          all[i]);
    // Small ones have no task; NwayKshot would warn of each partition.
    std::erase_if(classes, [&](const auto& c) {
      return c.size() < options.shots + options.queries;
    });
    made.sources.push_back(over_all(
        std::make_shared<ListedDataset>(data, std::move(classes), "cluster"),
        options, "clustered"));
  }
  return made;
}

TaskSourcePtr from_single_images(const Experiment& e,
                                 const FrozenGenerator& generator) {
  return std::make_shared<ImageTasks>(generator.learner, e.versions,
                                      e.tasks.examples, e.tasks.splits.train,
                                      e.config.task.train_counts());
}

}  // namespace

std::vector<std::pair<std::string, float>> parse_mix(const std::string& mix,
                                                     const char* key) {
  const bool zeros = key != std::string("task.mix");
  const auto refuse = [&] {
    throw ConfigError(concat(key, " = \"", mix,
                             "\"; expected sources with weights such as "
                             "real=1,generated=3, of: real, augmented, "
                             "generated, clustered"));
  };
  std::vector<std::pair<std::string, float>> parts;
  for (const auto& item : comma_separated(mix)) {
    const auto equal = item.find('=');
    const std::string name = item.substr(0, equal);
    float weight = 1;
    if (equal != std::string::npos) {
      const char* const end = item.data() + item.size();
      const auto read = std::from_chars(item.data() + equal + 1, end, weight);
      if (read.ec != std::errc() || read.ptr != end || !std::isfinite(weight) ||
          !(weight > 0 || (zeros && weight == 0)))
        refuse();
    }
    if (std::find(std::begin(kNames), std::end(kNames), name) ==
        std::end(kNames))
      refuse();
    for (const auto& part : parts)
      if (part.first == name) refuse();
    parts.emplace_back(name, weight);
  }
  if (parts.empty()) refuse();
  return parts;
}

namespace {

bool mixes(const Config& config, const char* source) {
  const auto mix = parse_mix(config.task.mix);
  return std::any_of(mix.begin(), mix.end(),
                     [&](const auto& part) { return part.first == source; });
}

}  // namespace

bool needs_generator(const Config& config) {
  const bool needs = config.task.generated_shots > 0 ||
                     mixes(config, "generated") || mixes(config, "clustered");
  if (needs && config.generated.from.empty())
    throw ConfigError(
        concat("task.mix = \"", config.task.mix,
               "\" and task.generated_shots = ", config.task.generated_shots,
               " need generator.from; expected the run of a "
               "generative learner"));
  return needs;
}

void mix_training_tasks(Experiment& e, const FrozenGenerator* generator) {
  const auto mix = parse_mix(e.config.task.mix);
  if (mix.size() == 1 && mix[0].first == "real") return;
  if (!e.tasks.examples)
    throw ConfigError("task.mix = \"" + e.config.task.mix +
                      "\" needs classes of images, but data.source = " +
                      e.config.data.source + "; expected task.mix = real");
  if (generator &&
      generator->learner->image_shape() != e.tasks.examples->shape())
    throw ConfigError("generator.from = " + e.config.generated.from +
                      ": its images have another shape than data.* has");
  std::vector<TaskSourcePtr> sources;
  std::vector<float> weights;
  std::string partitions;
  const auto add = [&](TaskSourcePtr source, float weight) {
    sources.push_back(std::move(source));
    weights.push_back(weight);
  };
  // What was made up is distorted as real tasks are.
  const auto add_made = [&](TaskSourcePtr source, float weight) {
    if (e.config.data.augment != "none")
      source = std::make_shared<DistortedTasks>(source);
    add(std::move(source), weight);
  };
  for (const auto& [name, weight] : mix) {
    const bool from_images =
        name == "generated" && e.config.generated.rule == "image";
    const auto from = "generator.from = " + e.config.generated.from;
    if (name == "clustered") need_found_codes(*generator->learner, from);
    if (name == "generated" && !from_images)
      need_any_code(*generator->learner, from);
    if (name == "real") add(e.tasks.train, weight);
    if (name == "augmented") add(augmented(e), weight);
    if (name == "generated") {
      e.versions = std::make_shared<GeneratorVersions>();
      e.versions->add(0, generator->meta);
      if (from_images)
        add_made(from_single_images(e, *generator), weight);
      else
        add_made(std::make_shared<GeneratedTasks>(
                     generator->learner, e.versions,
                     e.config.task.train_counts(), e.config.generated),
                 weight);
    }
    if (name == "clustered") {
      const auto parts = clustered(e, *generator);
      for (const auto& part : parts.sources)
        add_made(part, weight / static_cast<float>(parts.sources.size()));
      partitions = parts.checksum;
    }
  }
  e.tasks.train =
      std::make_shared<MixedSource>(std::move(sources), std::move(weights));
  if (generator)
    e.tasks.checksum = with_weights(e.tasks.checksum + partitions, *generator);
}

bool adds_generated_shots(const Config& config) {
  return config.task.generated_shots > 0 && !config.task.generated_class();
}

namespace {

std::shared_ptr<const GeneratorVersions> only_version(
    const FrozenGenerator& generator) {
  const auto versions = std::make_shared<GeneratorVersions>();
  versions->add(0, generator.meta);
  return versions;
}

TaskSourcePtr with_shots(const TaskOptions& o, const FrozenGenerator& generator,
                         TaskSourcePtr base) {
  return std::make_shared<GeneratedShots>(
      std::move(base), generator.learner, only_version(generator),
      o.generated_shots, o.generated_weight);
}

}  // namespace

TaskSourcePtr with_generated_shots(const Experiment& e, TaskSourcePtr base) {
  return adds_generated_shots(e.config)
             ? with_shots(e.config.task, *e.generator, std::move(base))
             : base;
}

void add_generated_shots(Experiment& e, const FrozenGenerator* generator) {
  const auto& o = e.config.task;
  if (o.generated_shots == 0) return;
  auto& train = e.tasks.train;
  if (o.generated_class()) {
    if (train)
      train = std::make_shared<GeneratedClass>(train, generator->learner,
                                               only_version(*generator), o);
  } else {
    for (auto* source : {&train, &e.tasks.validation, &e.tasks.test})
      if (*source) *source = with_shots(o, *generator, *source);
  }
  e.tasks.checksum = with_weights(e.tasks.checksum, *generator);
}

void interpolate_training_tasks(Experiment& e) {
  const auto& o = e.config.task.interpolation;
  if (o.share == 0) return;
  e.tasks.train = std::make_shared<InterpolatedTasks>(e.tasks.train, o);
}

}  // namespace protean
