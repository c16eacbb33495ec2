#include "protean/evaluation/check_ways.h"

#include "protean/core/error.h"
#include "protean/tasks/task_batch.h"

namespace protean {

void check_ways(const Experiment& e, const MetaView& meta,
                const EvalTasks& tasks, const std::string& what) {
  const auto shape = tasks.source->shape(tasks.specs.front());
  if (shape.target != TargetKind::classes ||
      shape.ways <= e.tasks.train_shape.ways)
    return;
  const auto batch = to(stack_tasks(*tasks.source, {tasks.specs.front()}),
                        meta.theta.device(), meta.theta.scalar_type());
  e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    if (k > 0) return;
    const int64_t outputs = e.learner->predict(phi, batch.query).size(-1);
    if (outputs < shape.ways)
      throw ConfigError(concat(
          what, " has ", shape.ways, " classes, but the run was trained with ",
          outputs, " outputs; expected at most ", outputs,
          " classes, or a run of a learner without a head, say protonet"));
  });
}

}  // namespace protean
