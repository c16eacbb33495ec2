#include "protean/tasks/group_tasks.h"

#include <algorithm>
#include <map>

#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/core/philox.h"
#include "protean/tasks/nway.h"

namespace protean {

namespace {

// What the best group holds, as the end of a message; 0: nothing of use.
std::string fits(size_t labels, size_t rows) {
  if (labels >= 2) return concat("; what would fit: ways = ", labels);
  if (rows >= 2) return concat("; what would fit: shots + queries = ", rows);
  return "";
}

}  // namespace

GroupTasks::GroupTasks(LabelledPtr data, const std::vector<uint32_t>& groups,
                       const TaskCounts& counts, const std::string& what,
                       const CountKeys& keys)
    : data_(std::move(data)),
      counts_(counts),
      shape_(shape_of(*data_, counts, keys)),
      by_label_(data_->target() == TargetKind::classes &&
                data_->target_size() == 1) {
  const uint32_t need = counts.shots + counts.queries;
  size_t most_labels = 0,
         most_rows = 0;  // of a group: with enough rows; of all
  for (uint32_t id : groups) {
    Group group{id, {}};
    most_rows = std::max<size_t>(most_rows, data_->size(id));
    if (by_label_) {
      std::map<uint32_t, std::vector<uint32_t>> rows;
      for (uint32_t e = 0; e < data_->size(id); ++e) {
        int64_t label = 0;
        data_->read_target(id, e, &label, nullptr);
        rows[static_cast<uint32_t>(label)].push_back(e);
      }
      for (auto& [label, examples] : rows)
        if (examples.size() >= need)
          group.labels.emplace_back(label, std::move(examples));
      most_labels = std::max(most_labels, group.labels.size());
      if (group.labels.size() < counts.ways) continue;
    } else if (data_->size(id) < need) {
      continue;
    }
    groups_.push_back(std::move(group));
  }
  const std::string wanted =
      by_label_ ? concat(keys.ways, " = ", counts.ways, " labels with ") : "";
  if (groups_.empty())
    throw ConfigError(concat("of ", groups.size(), " ", what,
                             " tasks of the data none holds ", wanted,
                             keys.shots, " + ", keys.queries, " = ", need,
                             " examples; expected at least one",
                             fits(most_labels, by_label_ ? 0 : most_rows)));
  if (groups_.size() < groups.size())
    log_shared_warning(
        concat(groups.size() - groups_.size(), " of ", groups.size(), " ", what,
               " tasks of the data hold fewer than ", wanted, keys.shots, " + ",
               keys.queries, " = ", need, " examples and are left out"));
}

TaskShape GroupTasks::shape_of(const LabelledDataset& data,
                               const TaskCounts& counts,
                               const CountKeys& keys) {
  for (const auto& [key, value] :
       {std::pair(keys.ways, counts.ways), std::pair(keys.shots, counts.shots),
        std::pair(keys.queries, counts.queries)})
    if (value == 0) throw ConfigError(concat(key, " = 0; expected at least 1"));
  TaskShape shape;
  const bool classes = data.target() == TargetKind::classes;
  const bool by_label = classes && data.target_size() == 1;
  const uint32_t repeats = by_label ? counts.ways : 1;
  shape.ways = by_label ? counts.ways : data.labels();
  shape.support = repeats * counts.shots;
  shape.query = repeats * counts.queries;
  shape.input = data.shape();
  shape.target = data.target();
  shape.target_size = data.target_size();
  return shape;
}

TaskSpec GroupTasks::describe(uint64_t seed, TaskId id,
                              const StreamState&) const {
  const uint32_t ways = by_label_ ? counts_.ways : 1;
  TaskSpec spec = describe_nway(id, {ways, counts_.shots, counts_.queries});
  const auto& group =
      groups_[Draws(seed, id, Purpose::superclass).below(groups_.size())];
  const uint32_t need = counts_.shots + counts_.queries;
  spec.classes.assign(ways, group.id);
  if (!by_label_) {
    spec.examples =
        Draws(seed, id, Purpose::examples).sample(data_->size(group.id), need);
    return spec;
  }
  const auto chosen =
      Draws(seed, id, Purpose::classes).sample(group.labels.size(), ways);
  for (uint32_t way = 0; way < ways; ++way) {
    const auto& [label, rows] = group.labels[chosen[way]];
    spec.transforms.push_back(label);
    for (uint32_t r :
         Draws(seed, id, Purpose::examples, way).sample(rows.size(), need))
      spec.examples.push_back(rows[r]);
  }
  return spec;
}

void GroupTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  int64_t inputs = 1;
  for (int64_t d : shape_.input) inputs *= d;
  const int64_t targets = shape_.target_size;
  PartView support = out.support, query = out.query;
  size_t next = 0;
  for (size_t way = 0; way < spec.classes.size(); ++way)
    for (auto [part, count] : {std::pair(&support, spec.support.at(way)),
                               std::pair(&query, spec.query.at(way))})
      for (uint32_t i = 0; i < count; ++i, ++next) {
        const uint32_t example = spec.examples.at(next);
        data_->read(spec.classes[way], example, part->x);
        part->x += inputs;
        if (by_label_)
          *part->label = static_cast<int64_t>(way);
        else
          data_->read_target(spec.classes[way], example, part->label,
                             part->value);
        if (part->label) part->label += targets;
        if (part->value) part->value += targets;
      }
}

}  // namespace protean
