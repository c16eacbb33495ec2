#include "learners/proto_maml.h"

#include <ATen/ATen.h>

#include "protean/models/initialise.h"
#include "protean/models/params.h"

#include "learners/protonet.h"

namespace protean {

ProtoMaml::ProtoMaml(NetworkPtr net, const LearnerOptions& options)
    : Maml(std::move(net), options, TargetKind::classes) {
  spaces_.theta = {};
  const auto& all = inner_.net().params().parameters();
  for (size_t i = 0; i < inner_.net().head_begin(); ++i)
    spaces_.theta.add(all[i]);
}

void ProtoMaml::initialise(const MetaView& meta, uint64_t seed) const {
  fill_initial(spaces_.theta, meta.theta.data_ptr<float>(), seed);
}

Maml::Start ProtoMaml::start(Params theta, const TaskBatch& batch) const {
  Norm norm;
  const auto& support = batch.support;
  const auto c = prototypes(
      inner_.net().body(theta, {support.x, support.weight, {}}, norm), support,
      batch.shape.ways);
  // The inner loop's body is a variable of its own: its gradient does not pass
  // through the start of the head.
  for (auto& p : theta) p = p.view_as(p);
  theta.push_back(2 * c);
  theta.push_back(-c.square().sum(-1));
  return {std::move(theta), {}};
}

}  // namespace protean
