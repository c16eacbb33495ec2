// Training from scratch: every task starts from the same random values, which
// meta-training never changes, and learns from its support set alone. What
// meta-learning has to beat.
#pragma once

#include "learners/maml.h"

namespace protean {

class Scratch : public Maml {
 public:
  using Maml::Maml;
  // Adds nothing: theta has no gradient. The losses are those after the steps.
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
};

}  // namespace protean
