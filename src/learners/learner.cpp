#include "protean/learners/learner.h"

#include "protean/core/error.h"

namespace protean {

TaskLosses Learner::gradient_of(int which, const TaskBatch& batch,
                                const MetaView& meta,
                                const MetaView& sums) const {
  if (which != 0)
    throw Error(concat("learner ", name(), ": loss ", which,
                       " asked for; expected 0, it has one"));
  return gradient(batch, meta, sums);
}

at::Tensor Learner::features(const Phi&, const Part&) const {
  throw Error("learner " + name() + " has no features of examples");
}

}  // namespace protean
