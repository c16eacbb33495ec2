#include "protean/tasks/nway_kshot.h"

#include <algorithm>
#include <map>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/log.h"
#include "protean/core/philox.h"
#include "protean/data/wrappers.h"
#include "protean/tasks/nway.h"

namespace protean {

namespace {

// Other counts that these classes have examples for, as the end of a message.
std::string what_fits(const ClassDataset& data,
                      const std::vector<uint32_t>& classes, size_t enough,
                      uint32_t ways, const std::string& what) {
  std::vector<uint32_t> sizes;
  for (uint32_t cls : classes) sizes.push_back(data.size(cls));
  std::sort(sizes.rbegin(), sizes.rend());
  std::string fits;
  const auto say = [&](const std::string& text) {
    fits += (fits.empty() ? "" : ", or ") + text;
  };
  if (enough >= 2) say(concat("ways = ", enough));
  if (sizes.size() >= ways && sizes[ways - 1] >= 2)
    say(concat("shots + queries = ", sizes[ways - 1]));
  if (sizes.size() < ways && (what == "validation" || what == "test"))
    say(concat("more ", what, " classes (data.split_", what, ")"));
  return fits.empty() ? "" : "; what would fit: " + fits;
}

}  // namespace

NwayKshot::NwayKshot(DatasetPtr data, std::vector<uint32_t> classes,
                     const NwayKshotOptions& options, const std::string& what)
    : data_(std::move(data)), options_(options) {
  const auto positive = [](uint32_t value, const std::string& key) {
    if (value == 0) throw ConfigError(concat(key, " = 0; expected at least 1"));
  };
  positive(options.ways, options.keys.ways);
  positive(options.shots, options.keys.shots);
  positive(options.queries, options.keys.queries);
  options_.ways_max = std::max(options.ways, options.ways_max);
  options_.shots_max = std::max(options.shots, options.shots_max);
  const auto& shape = data_->shape();
  if (options.rotate && (shape.size() != 3 || shape[1] != shape[2]))
    throw ConfigError(
        "data.rotations = task, but examples are no square images; expected "
        "none");
  const uint64_t need = uint64_t{options_.shots_max} + options.queries;
  for (uint32_t cls : classes)
    if (data_->size(cls) >= need) eligible_.push_back(cls);
  const auto together = options_.keys.shots + " + " + options_.keys.queries;
  const size_t small = classes.size() - eligible_.size();
  if (eligible_.size() < options_.ways_max)
    throw ConfigError(concat(
        options_.keys.ways, " = ", options_.ways_max, ", but of ",
        classes.size(), " ", what, " classes only ", eligible_.size(), " hold ",
        together, " = ", need, " examples; expected at least ",
        options_.ways_max,
        what_fits(*data_, classes, eligible_.size(), options_.ways_max, what)));
  if (small != 0)
    log_shared_warning(concat(small, " of ", classes.size(), " ", what,
                              " classes hold fewer than ", together, " = ",
                              need, " examples and are left out"));
  if (options_.one_group) gather_groups(what);
}

void NwayKshot::gather_groups(const std::string& what) {
  std::map<std::string, std::vector<uint32_t>> by_name;
  for (uint32_t cls : eligible_) by_name[data_->group(cls)].push_back(cls);
  if (by_name.count("") > 0)
    throw ConfigError(concat("task.within = group, but ", by_name[""].size(),
                             " ", what, " classes are of no group, such as ",
                             data_->class_name(by_name[""].front()),
                             "; expected any"));
  std::vector<std::string> small;
  std::string largest;
  size_t most = 0;
  for (auto& [name, classes] : by_name) {
    if (classes.size() > most) most = classes.size(), largest = name;
    if (classes.size() >= options_.ways_max)
      groups_.push_back(std::move(classes));
    else
      small.push_back(name);
  }
  if (groups_.empty())
    throw ConfigError(concat(options_.keys.ways, " = ", options_.ways_max,
                             " with task.within = group, but the "
                             "largest of ",
                             by_name.size(), " ", what, " groups, ", largest,
                             ", has ", most, " classes; expected at most ",
                             most));
  if (!small.empty())
    log_shared_warning(concat(what, " groups of fewer than ", options_.ways_max,
                              " classes are left out: ", joined(small)));
}

TaskCounts NwayKshot::counts(uint64_t seed, TaskId id,
                             uint32_t held_back) const {
  const uint32_t more_ways = options_.ways_max - options_.ways;
  const uint32_t more_shots = options_.shots_max - options_.shots;
  TaskCounts counts{options_.ways, options_.shots, options_.queries};
  const uint32_t levels = std::max(more_ways, more_shots);
  if (levels == 0) return counts;
  const uint32_t level = levels - std::min(held_back, levels);
  Draws draws(seed, id, Purpose::counts);
  const auto up_to = [&](uint32_t most) {
    return static_cast<uint32_t>(
        draws.below(uint64_t{std::min(most, level)} + 1));
  };
  counts.ways += up_to(more_ways);
  counts.shots += up_to(more_shots);
  return counts;
}

TaskSpec NwayKshot::describe(uint64_t seed, TaskId id,
                             const StreamState& stream) const {
  const auto own = counts(seed, id, stream.held_back);
  const uint32_t ways = own.ways, per_class = own.shots + own.queries;
  TaskSpec spec = describe_nway(id, own);
  const auto& from =
      groups_.empty()
          ? eligible_
          : groups_[Draws(seed, id, Purpose::superclass).below(groups_.size())];
  spec.classes = Draws(seed, id, Purpose::classes).sample(from.size(), ways);
  for (uint32_t& cls : spec.classes) cls = from[cls];
  spec.examples.reserve(size_t{ways} * per_class);
  for (uint32_t way = 0; way < ways; ++way) {
    const auto drawn = Draws(seed, id, Purpose::examples, way)
                           .sample(data_->size(spec.classes[way]), per_class);
    spec.examples.insert(spec.examples.end(), drawn.begin(), drawn.end());
  }
  if (options_.rotate)
    for (uint32_t way = 0; way < ways; ++way)
      spec.transforms.push_back(static_cast<uint32_t>(
          Draws(seed, id, Purpose::transform, way).below(4)));
  return spec;
}

TaskShape NwayKshot::shape(const TaskSpec& spec) const {
  TaskShape shape = shape_nway(spec, data_->shape());
  if (!options_.labels) shape.target = TargetKind::none;
  return shape;
}

namespace {

// A description that came from elsewhere may be damaged.
void check(const TaskSpec& spec) {
  const size_t ways = spec.classes.size();
  uint64_t examples = 0;
  for (uint32_t n : spec.support) examples += n;
  for (uint32_t n : spec.query) examples += n;
  if (spec.support.size() != ways || spec.query.size() != ways ||
      spec.examples.size() != examples ||
      (!spec.transforms.empty() && spec.transforms.size() != ways))
    throw Error(concat("task (step ", spec.id.step, ", index ", spec.id.index,
                       "): ", ways, " classes and ", spec.examples.size(),
                       " examples; expected ", examples,
                       " examples and one count per class"));
}

// Where the next example of a part goes.
struct Cursor {
  PartView at;
  void advance(int64_t values) {
    at.x += values;
    if (at.label) ++at.label;
  }
};

}  // namespace

void NwayKshot::materialise(const TaskSpec& spec, EpisodeView out) const {
  const auto& shape = data_->shape();
  int64_t values = 1;
  for (int64_t d : shape) values *= d;
  check(spec);
  const uint32_t* example = spec.examples.data();
  Cursor support{out.support}, query{out.query};
  for (size_t way = 0; way < spec.classes.size(); ++way) {
    const uint32_t turns = spec.transforms.empty() ? 0 : spec.transforms[way];
    const auto fill = [&](Cursor& to, uint32_t count) {
      for (uint32_t i = 0; i < count; ++i, to.advance(values)) {
        data_->read(spec.classes[way], *example++, to.at.x);
        if (turns) rotate_quarter_turns(to.at.x, shape[0], shape[1], turns);
        if (to.at.label) *to.at.label = static_cast<int64_t>(way);
      }
    };
    fill(support, spec.support[way]);
    fill(query, spec.query[way]);
  }
}

}  // namespace protean
