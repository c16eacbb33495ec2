// Answers to one task of a user's.
#pragma once

#include <ATen/core/Tensor.h>

#include "protean/evaluation/predict_task.h"
#include "protean/evaluation/predictions.h"
#include "protean/experiment/experiment.h"

namespace protean {

// An empty answer to a task of so many support examples.
Predictions answer_of(const Experiment& experiment, size_t support);

// Fills in rows that have names and labels: what predict_task() gave for
// out.classes.
void choose_classes(const Experiment& experiment, const at::Tensor& prediction,
                    Predictions& out);

}  // namespace protean
