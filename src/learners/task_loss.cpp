#include "protean/learners/task_loss.h"

#include "protean/models/ops/ops.h"

namespace protean {

at::Tensor task_loss(const at::Tensor& prediction, const Part& part,
                     TargetKind target) {
  return target == TargetKind::classes
             ? ops::cross_entropy(prediction, part.y, part.weight)
             : ops::mean_squared_error(prediction, part.y, part.weight);
}

at::Tensor task_accuracy(const at::Tensor& prediction, const Part& part,
                         TargetKind target) {
  if (target != TargetKind::classes) return {};
  auto right =
      prediction.detach().argmax(-1).eq(part.y).to(prediction.scalar_type());
  if (!part.weight.defined()) return right.mean(1);
  return (right * part.weight).sum(1) / part.weight.sum(1);
}

}  // namespace protean
