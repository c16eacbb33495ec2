// Flat mini-batches in place of tasks: examples of all classes, each labelled
// with its class, for learners that are trained as plain classifiers.
//
// A "task" has no support set; its query set is `size` examples, every one of
// a class drawn uniformly. Labels are places in `classes`, the same in every
// batch. In a spec `classes` and `examples` hold one entry per example, and
// `query` the size alone.
#pragma once

#include <vector>

#include "protean/data/dataset.h"
#include "protean/tasks/task_source.h"

namespace protean {

class FlatBatches : public TaskSource {
 public:
  // distort: every image a little on its own (data.augment = affine). Throws
  // ConfigError when there is no class or the size is 0.
  FlatBatches(DatasetPtr data, std::vector<uint32_t> classes, uint32_t size,
              bool distort);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  DatasetPtr data_;
  std::vector<uint32_t> classes_;
  uint32_t size_;
  bool distort_;
};

}  // namespace protean
