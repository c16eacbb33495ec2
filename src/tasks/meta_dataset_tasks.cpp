#include "protean/tasks/meta_dataset_tasks.h"

#include <algorithm>
#include <numbers>

#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/core/philox.h"
#include "protean/core/workers.h"
#include "protean/tasks/nway.h"

#include "tasks/by_weight.h"

namespace protean {
namespace {

void check(const EpisodeOptions& o) {
  const auto least = [](const char* key, uint32_t value, uint32_t from) {
    if (value < from)
      throw ConfigError(
          concat(key, " = ", value, "; expected at least ", from));
  };
  least("task.min_ways", o.min_ways, 2);
  least("task.max_ways", o.max_ways, o.min_ways);
  least("task.max_queries", o.max_queries, 1);
  least("task.max_class_support", o.max_class_support, 1);
  if (!o.fixed_shots)
    least("task.max_support", o.max_support,
          std::max(o.max_ways, o.fixed_ways));
  if (!(o.ignore_hierarchy >= 0 && o.ignore_hierarchy <= 1))
    throw ConfigError(concat("task.ignore_hierarchy = ", o.ignore_hierarchy,
                             "; expected 0 to 1"));
}

int split_number(Stream split) {
  return split == Stream::validation ? 1 : split == Stream::test ? 2 : 0;
}

}  // namespace

MetaDatasetTasks::MetaDatasetTasks(MetaDatasetPtr data, Stream split,
                                   std::vector<float> weights,
                                   const EpisodeOptions& options, int threads)
    : data_(std::move(data)),
      options_(options),
      threads_(threads),
      weights_(std::move(weights)) {
  check(options_);
  const auto& sources = data_->sources();
  check_weights("data.weights", weights_, sources.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    sources_.push_back(usable(sources[i], split_number(split)));
    if (sources_[i].sets.empty()) weights_[i] = 0;
  }
  if (std::none_of(weights_.begin(), weights_.end(),
                   [](float w) { return w > 0; }))
    throw ConfigError(
        concat("data.sets: no source has ", options_.min_ways,
               " classes of enough images in this split; expected one"));
}

// What tasks can be drawn from: classes and sets that are large enough.
MetaDatasetTasks::Source MetaDatasetTasks::usable(
    const MetaDataset::Source& source, int split) const {
  const auto& spec = source.data->spec();
  const uint32_t images = options_.fixed_shots ? options_.fixed_shots + 1 : 2;
  const uint32_t ways =
      options_.fixed_ways ? options_.fixed_ways : options_.min_ways;
  if (options_.fixed_ways && spec.rule != ClassRule::flat &&
      options_.ignore_hierarchy < 1 && !spec.sets[split].empty())
    throw ConfigError(concat("task.fixed_ways = ", options_.fixed_ways,
                             ", but classes of ", spec.name,
                             " have an order above them; expected 0, or "
                             "task.sampler = flat"));
  Source out{spec.rule, {}, {}};
  uint32_t small = 0, begin = 0;
  for (int s = 0; s < split; ++s) begin += spec.classes_per_split[s];
  for (uint32_t c = begin; c < begin + spec.classes_per_split[split]; ++c)
    if (spec.images[c] >= images)
      out.all.push_back(source.begin + c);
    else
      ++small;
  if (small > 0)
    log_shared_warning(concat(spec.name, ": ", small, " classes of fewer than ",
                              images, " images are left out"));
  if (out.all.size() < ways) return {spec.rule, {}, {}};
  for (const auto& set : spec.sets[split]) {
    std::vector<uint32_t> classes;
    for (uint32_t c : set.classes)
      if (spec.images[c] >= images) classes.push_back(source.begin + c);
    const bool too_wide =
        spec.rule == ClassRule::graph && classes.size() > kMostSpannedLeaves;
    if (classes.size() >= ways && !too_wide)
      out.sets.push_back(std::move(classes));
    else if (spec.rule == ClassRule::groups)
      log_shared_warning(concat(spec.name, ": ", set.name, " has ",
                                classes.size(), " classes, fewer than ", ways,
                                ", and is left out"));
  }
  return out;
}

std::vector<uint32_t> MetaDatasetTasks::draw_classes(
    uint64_t seed, TaskId id, const Source& source) const {
  const bool ignore =
      options_.ignore_hierarchy > 0 &&
      Draws(seed, id, Purpose::way, 1).uniform() < options_.ignore_hierarchy;
  const auto rule = ignore ? ClassRule::flat : source.rule;
  const auto& set = ignore ? source.all
                           : source.sets[Draws(seed, id, Purpose::superclass)
                                             .below(source.sets.size())];
  const uint64_t most = std::min<uint64_t>(options_.max_ways, set.size());
  uint64_t ways = most;  // graph
  if (options_.fixed_ways)
    ways = options_.fixed_ways;
  else if (rule != ClassRule::graph)
    ways = options_.min_ways +
           Draws(seed, id, Purpose::way).below(most - options_.min_ways + 1);
  auto classes = Draws(seed, id, Purpose::classes).sample(set.size(), ways);
  for (uint32_t& c : classes) c = set[c];
  return classes;
}

TaskSpec MetaDatasetTasks::describe(uint64_t seed, TaskId id,
                                    const StreamState&) const {
  TaskSpec spec;
  spec.id = id;
  const auto& source = sources_[by_weight(
      weights_, Draws(seed, id, Purpose::data_set).uniform())];
  spec.classes = draw_classes(seed, id, source);
  std::vector<uint32_t> sizes;
  std::vector<double> alpha;
  for (uint32_t way = 0; way < spec.classes.size(); ++way) {
    sizes.push_back(data_->size(spec.classes[way]));
    alpha.push_back(Draws(seed, id, Purpose::alpha, way)
                        .uniform(-std::numbers::ln2, std::numbers::ln2));
  }
  const double beta = Draws(seed, id, Purpose::beta).uniform();
  auto counts = episode_counts(sizes, beta, alpha, options_);
  spec.support = std::move(counts.support);
  spec.query.assign(spec.classes.size(), counts.queries);
  for (uint32_t way = 0; way < spec.classes.size(); ++way) {
    const auto drawn =
        Draws(seed, id, Purpose::examples, way)
            .sample(sizes[way], spec.support[way] + spec.query[way]);
    spec.examples.insert(spec.examples.end(), drawn.begin(), drawn.end());
  }
  return spec;
}

TaskShape MetaDatasetTasks::shape(const TaskSpec& spec) const {
  return shape_nway(spec, data_->shape());
}

TaskShape largest_shape(const EpisodeOptions& options,
                        std::vector<int64_t> input) {
  TaskShape shape;
  shape.ways = std::max(options.max_ways, options.fixed_ways);
  shape.support = options.fixed_shots ? options.fixed_shots * shape.ways
                                      : options.max_support;
  shape.query = shape.ways * options.max_queries;
  shape.input = std::move(input);
  return shape;
}

namespace {

// One image of a task, and the bytes or numbers it goes to.
template <typename T>
struct Slot {
  uint32_t cls, example;
  T* to;
};

// Every image of a task, in the order of its spec. Sets the labels.
template <typename T>
std::vector<Slot<T>> slots(const TaskSpec& spec, size_t values, T* support,
                           T* query, EpisodeView labels) {
  std::vector<Slot<T>> all;
  all.reserve(spec.examples.size());
  const uint32_t* example = spec.examples.data();
  for (size_t way = 0; way < spec.classes.size(); ++way) {
    const auto add = [&](T*& to, int64_t*& label, uint32_t count) {
      for (uint32_t i = 0; i < count; ++i, to += values) {
        all.push_back({spec.classes[way], *example++, to});
        if (label) *label++ = static_cast<int64_t>(way);
      }
    };
    add(support, labels.support.label, spec.support[way]);
    add(query, labels.query.label, spec.query[way]);
  }
  return all;
}

// A description that came from elsewhere may be damaged.
void check(const TaskSpec& spec) {
  uint64_t examples = 0;
  for (const auto* counts : {&spec.support, &spec.query})
    for (uint32_t n : *counts) examples += n;
  if (spec.support.size() != spec.classes.size() ||
      spec.query.size() != spec.classes.size() ||
      spec.examples.size() != examples)
    throw Error(concat("task (step ", spec.id.step, ", index ", spec.id.index,
                       "): ", spec.classes.size(), " classes and ",
                       spec.examples.size(), " examples; expected ", examples,
                       " examples and one count per class"));
}

size_t values_of(const ClassDataset& data) {
  size_t values = 1;
  for (int64_t d : data.shape()) values *= static_cast<size_t>(d);
  return values;
}

// Images that a thread takes at a time: starting one costs as much as a few.
constexpr size_t kBlock = 16;

template <typename T, typename Read>
void read_all(const std::vector<Slot<T>>& slots, int threads,
              const Read& read) {
  run_workers((slots.size() + kBlock - 1) / kBlock, threads, [&](size_t block) {
    const size_t end = std::min(slots.size(), (block + 1) * kBlock);
    for (size_t i = block * kBlock; i < end; ++i) read(slots[i]);
  });
}

}  // namespace

void MetaDatasetTasks::materialise(const TaskSpec& spec,
                                   EpisodeView out) const {
  check(spec);
  read_all(slots(spec, values_of(*data_), out.support.x, out.query.x, out),
           threads_, [&](const Slot<float>& slot) {
             data_->read(slot.cls, slot.example, slot.to);
           });
}

void MetaDatasetTasks::materialise_bytes(const TaskSpec& spec, uint8_t* support,
                                         uint8_t* query,
                                         EpisodeView out) const {
  check(spec);
  read_all(slots(spec, values_of(*data_), support, query, out), threads_,
           [&](const Slot<uint8_t>& slot) {
             data_->read_bytes(slot.cls, slot.example, slot.to);
           });
}

}  // namespace protean
