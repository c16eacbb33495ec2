// Answers by the nearest support example.
#pragma once

#include "protean/tasks/task_batch.h"

namespace protean {

// Logits of each class: the score of its best support example. scores: (T, n,
// m), membership: (T, m, N) -> (T, n, N).
at::Tensor best_of_class(const at::Tensor& scores,
                         const at::Tensor& membership);

// The value of the best support example. scores: (T, n, m), values: (T, m, d).
at::Tensor best_value(const at::Tensor& scores, const at::Tensor& values);

// Cosines of every pair, (T, n, m). x: (T, n, f), y: (T, m, f).
at::Tensor cosines(const at::Tensor& x, const at::Tensor& y);

// -||x - y||^2 for every pair, (T, n, m).
at::Tensor negative_squared_distance(const at::Tensor& x, const at::Tensor& y);

// Membership of support examples in classes, (T, n, ways), 0 for padding.
at::Tensor membership(const Part& support, int64_t ways, at::ScalarType type);

}  // namespace protean
