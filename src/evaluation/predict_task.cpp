#include "protean/evaluation/predict_task.h"

#include <ATen/ATen.h>

#include "protean/evaluation/check_tasks.h"

namespace protean {

at::Tensor predict_task(const Experiment& e, const MetaView& meta,
                        StoredTask task, const std::string& what) {
  std::vector<StoredTask> all;
  all.push_back(std::move(task));
  EvalTasks tasks{std::make_shared<StoredTasks>(std::move(all)), {}};
  tasks.specs.push_back(tasks.source->describe(0, {}, {}));
  check_tasks(e, meta, tasks, what);
  const auto batch = to(stack_tasks(*tasks.source, tasks.specs),
                        meta.theta.device(), meta.theta.scalar_type());
  at::Tensor prediction;
  e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    if (k == e.learner->eval_steps())
      prediction = e.learner->predict(phi, batch.query);
  });
  return prediction[0].to(at::kCPU, at::kDouble);
}

}  // namespace protean
