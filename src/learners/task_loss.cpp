#include "protean/learners/task_loss.h"

#include "protean/models/ops/ops.h"

namespace protean {

namespace {

// Where an example has several labels, each counts as one.
Part by_label(const Part& part) {
  if (part.y.dim() != 3) return part;
  Part flat = part;
  flat.y = part.y.flatten(1);
  if (part.weight.defined())
    flat.weight = part.weight.repeat_interleave(part.y.size(2), 1);
  return flat;
}

}  // namespace

at::Tensor of_present(const at::Tensor& logits, const Part& part) {
  if (part.ways == 0) return logits;
  const auto own =
      logits.size(-1) > part.ways ? logits.narrow(-1, 0, part.ways) : logits;
  // Finite: its product with 0 is 0.
  constexpr double kNone = -1e30;
  return part.absent.defined() ? own.masked_fill(part.absent, kNone) : own;
}

at::Tensor task_loss(const at::Tensor& prediction, const Part& part,
                     TargetKind target) {
  switch (target) {
    case TargetKind::classes: {
      const Part flat = by_label(part);
      return ops::cross_entropy(prediction, flat.y, flat.weight);
    }
    case TargetKind::values:
      return ops::mean_squared_error(prediction, part.y, part.weight);
    case TargetKind::none:
      break;
  }
  const auto log_p = prediction.squeeze(-1);
  if (!part.weight.defined()) return -log_p.mean(1);
  return -(log_p * part.weight).sum(1) / part.weight.sum(1);
}

at::Tensor task_accuracy(const at::Tensor& prediction, const Part& examples,
                         TargetKind target) {
  if (target != TargetKind::classes) return {};
  const Part part = by_label(examples);
  auto right =
      prediction.detach().argmax(-1).eq(part.y).to(prediction.scalar_type());
  if (!part.weight.defined()) return right.mean(1);
  return (right * part.weight).sum(1) / part.weight.sum(1);
}

}  // namespace protean
