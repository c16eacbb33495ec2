#include "learners/cavia.h"

#include <ATen/ops/zeros.h>

#include "protean/core/error.h"

namespace protean {
namespace {

LearnerOptions context_alone(LearnerOptions options) {
  options.adapt = "context";
  return options;
}

}  // namespace

Cavia::Cavia(NetworkPtr net, const LearnerOptions& options, TargetKind target)
    : Maml(std::move(net), context_alone(options), target) {
  if (inner_.net().context_size() < 1)
    throw ConfigError(
        "learner.name = cavia adapts context values; expected model.context of "
        "1 or more");
}

Maml::Start Cavia::start(Params theta, const TaskBatch& batch) const {
  theta.push_back(at::zeros({batch.tasks(), inner_.net().context_size()},
                            batch.support.x.options())
                      .requires_grad_());
  return {std::move(theta), {}};
}

}  // namespace protean
