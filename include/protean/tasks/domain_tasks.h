// Domain generalisation in one task: the support comes from some domains, every
// query from a domain that the support did not show (task.domain).
//
//   rotation   domains are quarter turns; labels are classes. Queries are all
//              turned alike, each support image by another turn.
//   inversion  domains are ink on paper and paper on ink; labels are classes.
//   alphabet   domains are groups of classes (scripts). Scripts share no
//              character, so the label is what they do share: by how many
//              quarter turns a drawing is turned (task.ways 2 to 4). No
//              drawing comes twice with one label.
//
// A spec lists classes and transforms example by example, in the order of
// `examples`: transform = quarter turns + 4 if inverted. Which domain is held
// out is drawn anew in each task.
#pragma once

#include <string>
#include <vector>

#include "protean/data/dataset.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

enum class DomainKind { rotation, inversion, alphabet };
// Throws ConfigError naming task.domain.
DomainKind parse_domain(const std::string& name);

class DomainTasks : public TaskSource {
 public:
  // Throws ConfigError naming the key when the classes are too few, too small
  // or have fewer than two groups. `what` names the split in messages.
  DomainTasks(DatasetPtr data, const std::vector<uint32_t>& classes,
              const TaskCounts& counts, DomainKind kind,
              const std::string& what, const CountKeys& keys = {});

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  // Throws ConfigError where a group has too few images.
  void check_groups(const std::string& what, const CountKeys& keys) const;
  void add_class_task(uint64_t seed, TaskSpec& spec) const;
  void add_turn_task(uint64_t seed, TaskSpec& spec) const;

  DatasetPtr data_;
  TaskCounts counts_;
  DomainKind kind_;
  std::vector<uint32_t> eligible_;
  std::vector<std::vector<uint32_t>> groups_;  // alphabet: classes of each
};

}  // namespace protean
