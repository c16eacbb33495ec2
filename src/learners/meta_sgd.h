// Meta-SGD: Li et al. 2017, arXiv:1707.09835. MAML whose inner rates are
// meta-parameters, one per element of theta, of any sign:
//
//   phi_{k+1} = phi_k - alpha o grad L_S(phi_k),  outer step on (theta, alpha)
//
// alpha starts uniform in [0.05, 1] * learner.inner_lr; the paper's [0.005,
// 0.1] is inner_lr = 0.1.
#pragma once

#include "learners/maml.h"

namespace protean {

class MetaSgd : public Maml {
 public:
  // Needs learner.inner_optimizer = sgd.
  MetaSgd(NetworkPtr net, const LearnerOptions& options, TargetKind target);
  void initialise(const MetaView& meta, uint64_t seed) const override;

 protected:
  Start start(Params theta, const TaskBatch& batch) const override;

 private:
  double inner_lr_;
};

}  // namespace protean
