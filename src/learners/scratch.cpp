#include "learners/scratch.h"

#include "protean/learners/phase.h"

namespace protean {

TaskLosses Scratch::gradient(const TaskBatch& batch, const MetaView& meta,
                             const MetaView&) const {
  announce(Phase::inner);
  auto [phi, state] = start_tasks(leaves(meta.theta, batch.tasks()), batch);
  inner_.train(phi, state, batch, Through::nothing);
  announce(Phase::outer);
  at::NoGradGuard no_grad;
  const auto losses = inner_.query_losses(phi, batch);
  announce(Phase::idle);
  return losses;
}

}  // namespace protean
