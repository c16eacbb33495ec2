// The loss that every learner takes per task, and what evaluation reports.
#pragma once

#include <ATen/core/Tensor.h>

#include "protean/core/plan.h"
#include "protean/tasks/task_batch.h"

namespace protean {

// Mean cross-entropy or mean squared error per task, (T); without targets,
// minus the mean of log-likelihoods (T, n, 1). Where an example has L labels,
// prediction is (T, n * L, N).
at::Tensor task_loss(const at::Tensor& prediction, const Part& part,
                     TargetKind target);

// Share of right answers per task, (T); undefined unless target == classes.
at::Tensor task_accuracy(const at::Tensor& prediction, const Part& part,
                         TargetKind target);

}  // namespace protean
