// What every single task of an evaluation gave, for tables and plots.
#pragma once

#include <filesystem>

#include "protean/trainer/evaluate.h"

namespace protean {

// One row per task: task, accuracy and loss after the last inner step, then
// both after each step k (accuracy_k, loss_k), then the task's classes joined
// by " ". Regression has no accuracy and no classes. A name that ends with
// ".json" gives an array of objects, any other CSV. Whole or not at all.
// examples: names the classes; null for function families.
void write_per_task(const std::filesystem::path& path, const EvalResult& result,
                    const EvalTasks& tasks, const ClassDataset* examples);

}  // namespace protean
