#include "protean/tasks/domain_tasks.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/data/wrappers.h"
#include "protean/tasks/nway.h"

namespace protean {
namespace {

constexpr uint32_t kInverted = 4;
// Slots beyond any way or example.
constexpr uint32_t kHeldSlot = (1u << 20) - 1;

}  // namespace

DomainKind parse_domain(const std::string& name) {
  if (name == "rotation") return DomainKind::rotation;
  if (name == "inversion") return DomainKind::inversion;
  if (name == "alphabet") return DomainKind::alphabet;
  throw ConfigError(concat("task.domain = \"", name,
                           "\"; expected one of: none, rotation, inversion, "
                           "alphabet"));
}

DomainTasks::DomainTasks(DatasetPtr data, const std::vector<uint32_t>& classes,
                         const TaskCounts& counts, DomainKind kind,
                         const std::string& what, const CountKeys& keys)
    : data_(std::move(data)), counts_(counts), kind_(kind) {
  const auto& shape = data_->shape();
  if (shape.size() != 3 || shape[1] != shape[2])
    throw ConfigError(
        "task.domain needs square images; expected none for other examples");
  for (const auto& [key, value] :
       {std::pair(keys.ways, counts.ways), std::pair(keys.shots, counts.shots),
        std::pair(keys.queries, counts.queries)})
    if (value == 0) throw ConfigError(concat(key, " = 0; expected at least 1"));
  if (kind == DomainKind::alphabet) {
    if (counts.ways < 2 || counts.ways > 4)
      throw ConfigError(concat(keys.ways, " = ", counts.ways,
                               "; expected 2 to 4 with task.domain = alphabet, "
                               "whose labels are quarter turns"));
    std::map<std::string, std::vector<uint32_t>> groups;
    for (uint32_t c : classes) groups[data_->group(c)].push_back(c);
    for (auto& [name, members] : groups) groups_.push_back(std::move(members));
    if (groups_.size() < 2)
      throw ConfigError(concat("task.domain = alphabet, but the ", what,
                               " classes have ", groups_.size(),
                               " groups; expected two or more"));
    check_groups(what, keys);
    return;
  }
  for (uint32_t c : classes)
    if (data_->size(c) >= counts.shots + counts.queries) eligible_.push_back(c);
  if (eligible_.size() < counts.ways)
    throw ConfigError(concat(keys.ways, " = ", counts.ways, ", but of ",
                             classes.size(), " ", what, " classes only ",
                             eligible_.size(), " hold ", keys.shots, " + ",
                             keys.queries, " = ", counts.shots + counts.queries,
                             " examples; expected at least ", counts.ways));
}

void DomainTasks::check_groups(const std::string& what,
                               const CountKeys& keys) const {
  std::vector<uint64_t> images;  // of each group
  for (const auto& members : groups_) {
    images.push_back(0);
    for (uint32_t c : members) images.back() += data_->size(c);
  }
  const auto least = *std::min_element(images.begin(), images.end());
  const auto most = *std::max_element(images.begin(), images.end());
  const auto all = std::accumulate(images.begin(), images.end(), uint64_t{0});
  const auto check = [&](const std::string& key, uint32_t count, uint64_t held,
                         const char* where) {
    if (count > held)
      throw ConfigError(
          concat(key, " = ", count, ", but the ", what, " classes hold ", held,
                 " images ", where,
                 "; expected at most as many, since no image of a "
                 "task comes twice with one label"));
  };
  check(keys.queries, counts_.queries, least, "in their smallest group");
  check(keys.shots, counts_.shots, all - most, "beside their largest group");
}

TaskSpec DomainTasks::describe(uint64_t seed, TaskId id,
                               const StreamState&) const {
  TaskSpec spec = describe_nway(id, counts_);
  if (kind_ == DomainKind::alphabet)
    add_turn_task(seed, spec);
  else
    add_class_task(seed, spec);
  return spec;
}

void DomainTasks::add_class_task(uint64_t seed, TaskSpec& spec) const {
  const bool turn = kind_ == DomainKind::rotation;
  const uint32_t domains = turn ? 4 : 2;
  const auto held = static_cast<uint32_t>(
      Draws(seed, spec.id, Purpose::transform, kHeldSlot).below(domains));
  const uint32_t per_class = counts_.shots + counts_.queries;
  const auto chosen = Draws(seed, spec.id, Purpose::classes)
                          .sample(eligible_.size(), counts_.ways);
  for (uint32_t way = 0; way < counts_.ways; ++way) {
    const uint32_t cls = eligible_[chosen[way]];
    const auto examples = Draws(seed, spec.id, Purpose::examples, way)
                              .sample(data_->size(cls), per_class);
    Draws others(seed, spec.id, Purpose::transform, way);
    for (uint32_t i = 0; i < per_class; ++i) {
      uint32_t domain = held;
      if (i < counts_.shots)
        domain = (held + 1 + static_cast<uint32_t>(others.below(domains - 1))) %
                 domains;
      spec.classes.push_back(cls);
      spec.examples.push_back(examples[i]);
      spec.transforms.push_back(turn ? domain : domain * kInverted);
    }
  }
}

void DomainTasks::add_turn_task(uint64_t seed, TaskSpec& spec) const {
  const auto held =
      Draws(seed, spec.id, Purpose::superclass).below(groups_.size());
  const uint32_t per_class = counts_.shots + counts_.queries;
  for (uint32_t way = 0; way < counts_.ways; ++way) {
    Draws draws(seed, spec.id, Purpose::examples, way);
    std::set<std::pair<uint32_t, uint32_t>> taken;  // class and example
    for (uint32_t i = 0; i < per_class; ++i) {
      size_t group = held;
      uint32_t cls = 0, example = 0;
      do {
        if (i < counts_.shots)
          group = (held + 1 + draws.below(groups_.size() - 1)) % groups_.size();
        cls = groups_[group][draws.below(groups_[group].size())];
        example = static_cast<uint32_t>(draws.below(data_->size(cls)));
      } while (!taken.insert({cls, example}).second);
      spec.classes.push_back(cls);
      spec.examples.push_back(example);
      spec.transforms.push_back(way);
    }
  }
}

TaskShape DomainTasks::shape(const TaskSpec& spec) const {
  return shape_nway(spec, data_->shape());
}

void DomainTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  const auto& shape = data_->shape();
  const int64_t values = shape[0] * shape[1] * shape[2];
  size_t next = 0;
  PartView support = out.support, query = out.query;
  for (size_t way = 0; way < spec.support.size(); ++way)
    for (auto [part, count] : {std::pair(&support, spec.support[way]),
                               std::pair(&query, spec.query[way])})
      for (uint32_t i = 0; i < count; ++i, ++next) {
        const uint32_t transform = spec.transforms.at(next);
        data_->read(spec.classes.at(next), spec.examples.at(next), part->x);
        if (const uint32_t turns = transform % kInverted)
          rotate_quarter_turns(part->x, shape[0], shape[1], turns);
        if (transform & kInverted)
          for (int64_t v = 0; v < values; ++v) part->x[v] = 1 - part->x[v];
        part->x += values;
        *part->label++ = static_cast<int64_t>(way);
      }
}

}  // namespace protean
