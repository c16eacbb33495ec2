// Fast context adaptation (CAVIA): Zintgraf et al. 2019, arXiv:1810.03642. The
// inner loop moves context values c of the network, and nothing else; theta is
// shared by all tasks:
//
//   c_0 = 0;  c_{k+1} = c_k - alpha * d L_S(theta, c_k) / d c
//   meta-gradient: d L_Q(theta, c_K) / d theta
#pragma once

#include "learners/maml.h"

namespace protean {

class Cavia : public Maml {
 public:
  // Needs a network with context values.
  Cavia(NetworkPtr net, const LearnerOptions& options, TargetKind target);

 protected:
  Start start(Params theta, const TaskBatch& batch) const override;
};

}  // namespace protean
