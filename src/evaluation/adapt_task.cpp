#include "evaluation/adapt_task.h"

#include <limits>

#include <ATen/ATen.h>

#include "protean/trainer/evaluate.h"

namespace protean {

Predictions answer_of(const Experiment& e, size_t support) {
  Predictions out;
  out.support = static_cast<int64_t>(support);
  out.steps = e.learner->eval_steps();
  out.transductive = e.learner->transductive();
  return out;
}

void choose_classes(const Experiment& e, const at::Tensor& prediction,
                    Predictions& out) {
  // A head may have more outputs than there are classes here.
  const auto ways = static_cast<int64_t>(out.classes.size());
  const auto probability = prediction.narrow(1, 0, ways).softmax(1);
  out.probabilities = gives_probabilities(e);
  for (size_t i = 0; i < out.rows.size(); ++i) {
    const auto p = probability[static_cast<int64_t>(i)].contiguous();
    const double* begin = p.const_data_ptr<double>();
    auto& row = out.rows[i];
    row.values.assign(begin, begin + ways);
    row.choice = p.argmax().item<int64_t>();
    if (!out.probabilities)
      row.values.assign(row.values.size(),
                        std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace protean
