// Episodes of Meta-Dataset (Triantafillou et al. 2020, arXiv:1903.03096): a
// source, classes by the source's own order, and counts that differ from class
// to class and from task to task.
//
//   source   by weight, independently for every task; tasks never mix sources
//   classes  flat    W uniform in [min_ways, min(max_ways, all)], W of all
//            groups  a superclass, evenly; then the same among its classes
//            graph   an inner node, evenly among those that span min_ways to
//                    392 leaves; all of these, or max_ways of them at random
//   counts   episode_counts.h
//   images   distinct, uniformly from the whole class
//
// Deviations from the reference: labels are always permuted (there graph tasks
// have them in WordNet order); an image is drawn anew in each task, where the
// reference goes through a shuffled stream.
//
// A spec lists class after class: its support, then its query examples. So does
// the task.
#pragma once

#include <string>
#include <vector>

#include "protean/data/records/meta_dataset.h"
#include "protean/tasks/byte_tasks.h"
#include "protean/tasks/episode_counts.h"

namespace protean {

// Leaves that a node may span, as the reference has it.
constexpr size_t kMostSpannedLeaves = 392;

class MetaDatasetTasks : public ByteTaskSource {
 public:
  // weights: of each source of `data`, in its order; those without classes in
  // the split, or of weight 0, give no task. Throws ConfigError naming the key
  // when none is left, or when the options cannot be met. threads: that the
  // images of one task are read and decoded by.
  MetaDatasetTasks(MetaDatasetPtr data, Stream split,
                   std::vector<float> weights, const EpisodeOptions& options,
                   int threads = 1);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;
  ByteScale scale() const override { return data_->scale(); }
  void materialise_bytes(const TaskSpec& spec, uint8_t* support, uint8_t* query,
                         EpisodeView out) const override;

 private:
  struct Source {
    ClassRule rule;
    std::vector<std::vector<uint32_t>> sets;  // classes of `data`
    std::vector<uint32_t> all;
  };
  Source usable(const MetaDataset::Source& source, int split) const;
  std::vector<uint32_t> draw_classes(uint64_t seed, TaskId id,
                                     const Source& source) const;

  MetaDatasetPtr data_;
  EpisodeOptions options_;
  int threads_;
  std::vector<Source> sources_;
  std::vector<float> weights_;
};

// Of the largest task that there may be.
TaskShape largest_shape(const EpisodeOptions& options,
                        std::vector<int64_t> input);

}  // namespace protean
