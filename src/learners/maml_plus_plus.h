// MAML++: Antoniou, Edwards, Storkey 2019, arXiv:1810.09502. MAML with
//
//   a learnt inner rate per parameter tensor and inner step, started at
//   learner.inner_lr;
//   scale and shift of the norms per inner step, learnt by the outer step alone
//   (queries after step k use those of step k);
//   learner.multi_loss_steps, learner.first_order_steps and optim.schedule =
//   cosine for its multi-step loss, derivative-order and rate annealing.
//
// Norms always use the moments of the batch at hand, as the released code does;
// the running ones that it keeps per step it never reads.
#pragma once

#include "learners/maml.h"

namespace protean {

class MamlPlusPlus : public Maml {
 public:
  // Needs learner.inner_optimizer = sgd.
  MamlPlusPlus(NetworkPtr net, const LearnerOptions& options,
               TargetKind target);
  void initialise(const MetaView& meta, uint64_t seed) const override;

 protected:
  Start start(Params theta, const TaskBatch& batch) const override;

 private:
  std::vector<size_t> norms_;  // indices of their parameters
};

}  // namespace protean
