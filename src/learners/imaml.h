// Implicit MAML: Rajeswaran et al. 2019, arXiv:1909.04630. The inner loop goes
// towards a minimum of a proximal loss, and the meta-gradient comes from the
// condition that holds there, whatever the steps were:
//
//   phi* = argmin L_S(phi) + lambda/2 ||phi - theta||^2
//   meta-gradient g: (I + H_S(phi*) / lambda) g = grad L_Q(phi*),
//
// solved by learner.cg_steps conjugate-gradient steps for all tasks at once;
// lambda is learner.proximal. Parameters psi that are not adapted get
// d L_Q / d psi - d <grad L_S(phi*), g> / d psi / lambda. Memory does not grow
// with the number of inner steps.
#pragma once

#include "learners/maml.h"

namespace protean {

class Imaml : public Maml {
 public:
  // Needs learner.proximal above 0.
  Imaml(NetworkPtr net, const LearnerOptions& options, TargetKind target);
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
};

}  // namespace protean
