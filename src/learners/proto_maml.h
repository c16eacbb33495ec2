// Proto-MAML: Triantafillou et al. 2020, arXiv:1903.03096. MAML on the body,
// with a head that starts every task from its prototypes c_k, through which the
// meta-gradient flows too; with it the first prediction is that of a
// prototypical network:
//
//   W_k = 2 c_k,  b_k = -||c_k||^2
#pragma once

#include "learners/maml.h"

namespace protean {

class ProtoMaml : public Maml {
 public:
  ProtoMaml(NetworkPtr net, const LearnerOptions& options);
  void initialise(const MetaView& meta, uint64_t seed) const override;

 protected:
  Start start(Params theta, const TaskBatch& batch) const override;
};

}  // namespace protean
