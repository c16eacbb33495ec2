#include "protean/tasks/task_batch.h"

#include <ATen/ops/empty.h>

#include "protean/core/error.h"

namespace protean {
namespace {

Part allocate(int64_t tasks, int64_t n, const TaskShape& shape) {
  Part part;
  std::vector<int64_t> x{tasks, n};
  x.insert(x.end(), shape.input.begin(), shape.input.end());
  part.x = at::empty(x, at::kFloat);
  if (shape.target == TargetKind::classes)
    part.y = shape.target_size == 1
                 ? at::empty({tasks, n}, at::kLong)
                 : at::empty({tasks, n, shape.target_size}, at::kLong);
  else if (shape.target == TargetKind::values)
    part.y = at::empty({tasks, n, shape.target_size}, at::kFloat);
  return part;
}

// The place of one task.
PartView view(const Part& part, int64_t task, const TaskShape& shape) {
  PartView out;
  out.x = part.x.data_ptr<float>() + task * part.x.stride(0);
  if (shape.target == TargetKind::classes)
    out.label = part.y.data_ptr<int64_t>() + task * part.y.stride(0);
  else if (shape.target == TargetKind::values)
    out.value = part.y.data_ptr<float>() + task * part.y.stride(0);
  return out;
}

}  // namespace

TaskBatch stack_tasks(const TaskSource& source,
                      const std::vector<TaskSpec>& specs) {
  if (specs.empty()) throw Error("stack_tasks: no task; expected at least one");
  TaskBatch batch;
  batch.shape = source.shape(specs[0]);
  const auto tasks = static_cast<int64_t>(specs.size());
  batch.support = allocate(tasks, batch.shape.support, batch.shape);
  batch.query = allocate(tasks, batch.shape.query, batch.shape);
  for (int64_t t = 0; t < tasks; ++t) {
    const TaskSpec& spec = specs[static_cast<size_t>(t)];
    if (source.shape(spec) != batch.shape)
      throw Error(concat("stack_tasks: task ", t, " (step ", spec.id.step,
                         ", index ", spec.id.index,
                         ") has another shape than task 0"));
    source.materialise(spec, {view(batch.support, t, batch.shape),
                              view(batch.query, t, batch.shape)});
    batch.ids.push_back(spec.id);
  }
  return batch;
}

TaskBatch to(const TaskBatch& batch, at::Device device, at::ScalarType dtype) {
  const auto move = [&](const at::Tensor& t) {
    if (!t.defined()) return t;
    return t.to(device, t.is_floating_point() ? dtype : t.scalar_type());
  };
  const auto part = [&](const Part& p) {
    return Part{move(p.x), move(p.y), move(p.weight)};
  };
  TaskBatch out = batch;
  out.support = part(batch.support);
  out.query = part(batch.query);
  return out;
}

}  // namespace protean
