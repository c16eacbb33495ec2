// Examples that carry their own targets, grouped by task: rows of a table,
// lines of text. What ClassDataset calls a class is here one task (a device, an
// author); splits are made over them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "protean/core/plan.h"
#include "protean/data/dataset.h"

namespace protean {

class LabelledDataset : public ClassDataset {
 public:
  // classes or values.
  virtual TargetKind target() const = 0;
  // Values or labels of one example.
  virtual int64_t target_size() const = 0;
  // Distinct labels over all tasks; 0 for values.
  virtual uint32_t labels() const = 0;
  // Writes target_size() labels, in [0, labels()), or as many values; the other
  // pointer is null.
  virtual void read_target(uint32_t cls, uint32_t example, int64_t* label,
                           float* value) const = 0;
  // What was taken from the training tasks or is the same for all (means and
  // scales, characters): all that reading examples from elsewhere needs, and
  // that a data set with DataOptions::stored takes instead of its own.
  virtual nlohmann::json fitted() const = 0;
};

using LabelledPtr = std::shared_ptr<const LabelledDataset>;

}  // namespace protean
