// N-way K-shot tasks (Vinyals et al. 2016, arXiv:1606.04080): N classes drawn
// without replacement, K support and Q query examples of each, all distinct.
//
// Every class is equally likely, and so is every order: the label of a class is
// its place in the draw, so labels are shuffled anew in each task. Order of
// examples, support and query alike: class-major, all of label 0, then all of
// label 1. Two rotations of one character can meet in a task when the data set
// holds them as classes (data.rotations = classes), as in Snell et al. 2017.
#pragma once

#include <string>
#include <vector>

#include "protean/data/dataset.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

struct NwayKshotOptions {
  uint32_t ways = 5;
  uint32_t shots = 1;
  uint32_t queries = 15;
  // Turns each class of a task by a random number of quarter turns.
  bool rotate = false;
  // Examples come with labels; without, target = none.
  bool labels = true;
  // Above 0: a task has ways to ways_max classes, shots to shots_max shots of
  // each, all numbers equally likely. A stream that is held back by L levels
  // has both maxima lower, by L of max(ways_max - ways, shots_max - shots).
  uint32_t ways_max = 0;
  uint32_t shots_max = 0;
  CountKeys keys = {};
  // The classes of a task are of one group, every group equally likely.
  bool one_group = false;
};

class NwayKshot : public TaskSource {
 public:
  // Draws from `classes` (ids of `data`). Those with fewer than K + Q examples,
  // both the most there may be, are left out with one warning that counts them.
  // Throws ConfigError naming the key when fewer than N remain, with one_group
  // in every group; groups of fewer are left out with a warning. `what` names
  // the split in messages.
  NwayKshot(DatasetPtr data, std::vector<uint32_t> classes,
            const NwayKshotOptions& options, const std::string& what);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

  // Classes that tasks are drawn from.
  const std::vector<uint32_t>& eligible() const { return eligible_; }

 private:
  // Of one task.
  TaskCounts counts(uint64_t seed, TaskId id, uint32_t held_back) const;

  DatasetPtr data_;
  NwayKshotOptions options_;
  void gather_groups(const std::string& what);

  std::vector<uint32_t> eligible_;
  std::vector<std::vector<uint32_t>> groups_;  // with one_group
};

}  // namespace protean
