#include "protean/evaluation/check_tasks.h"

#include "protean/core/error.h"
#include "protean/generative/generative_learner.h"
#include "protean/tasks/task_batch.h"

namespace protean {
namespace {

// A generative learner's result is by the number of support images.
void check_classes(const Experiment& e, const EvalTasks& tasks,
                   const std::string& what) {
  const uint32_t shots = e.config.eval_counts().shots;
  for (const auto& spec : tasks.specs) {
    const auto shape = tasks.source->shape(spec);
    if (shape.ways != 1 || shape.support != shots)
      throw ConfigError(concat(
          what, " has a ", shape.ways, "-way task with ", shape.support,
          " support images, but learner.name = ", e.learner->name(),
          " models one class, here from eval.shots (or task.shots) = ", shots,
          " images"));
  }
}

}  // namespace

void check_tasks(const Experiment& e, const MetaView& meta,
                 const EvalTasks& tasks, const std::string& what) {
  if (is_generative(e.learner->name())) check_classes(e, tasks, what);
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
