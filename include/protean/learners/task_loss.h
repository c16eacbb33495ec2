// The loss that every learner takes per task, and what evaluation reports.
#pragma once

#include <ATen/core/Tensor.h>

#include "protean/core/plan.h"
#include "protean/tasks/task_batch.h"

namespace protean {

// Logits (T, n, M) of classes that the part's tasks have, (T, n, N): the
// outputs of a larger head are cut off, and those of classes that one task
// lacks among others in its stack are so low that they count for nothing.
at::Tensor of_present(const at::Tensor& logits, const Part& part);

// Mean cross-entropy or mean squared error per task, (T); without targets,
// minus the mean of log-likelihoods (T, n, 1). Where an example has L labels,
// prediction is (T, n * L, N).
at::Tensor task_loss(const at::Tensor& prediction, const Part& part,
                     TargetKind target);

// Share of right answers per task, (T); undefined unless target == classes.
at::Tensor task_accuracy(const at::Tensor& prediction, const Part& part,
                         TargetKind target);

}  // namespace protean
