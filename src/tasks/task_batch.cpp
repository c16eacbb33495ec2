#include "protean/tasks/task_batch.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include "protean/core/error.h"
#include "protean/tasks/byte_tasks.h"
#include "protean/tasks/upload.h"

namespace protean {
namespace {

Part allocate(int64_t tasks, int64_t n, const TaskShape& shape,
              at::ScalarType values) {
  Part part;
  part.ways = shape.ways;
  std::vector<int64_t> x{tasks, n};
  x.insert(x.end(), shape.input.begin(), shape.input.end());
  part.x = at::empty(x, values);
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
  if (part.x.scalar_type() == at::kFloat)
    out.x = part.x.data_ptr<float>() + task * part.x.stride(0);
  if (shape.target == TargetKind::classes)
    out.label = part.y.data_ptr<int64_t>() + task * part.y.stride(0);
  else if (shape.target == TargetKind::values)
    out.value = part.y.data_ptr<float>() + task * part.y.stride(0);
  return out;
}

// Behind a task's own n examples.
void pad(const Part& part, int64_t task, int64_t n) {
  for (const auto& t : {part.x, part.y, part.weight}) {
    if (!t.defined()) continue;
    const auto row = t.select(0, task);
    row.narrow(0, n, row.size(0) - n).zero_();
  }
}

at::Tensor absent_ways(const std::vector<TaskShape>& shapes, int64_t ways) {
  const auto absent =
      at::zeros({static_cast<int64_t>(shapes.size()), 1, ways}, at::kBool);
  for (size_t t = 0; t < shapes.size(); ++t) {
    const int64_t own = shapes[t].ways;
    absent.select(0, static_cast<int64_t>(t))
        .narrow(1, own, ways - own)
        .fill_(true);
  }
  return absent;
}

uint8_t* bytes_at(const Part& part, int64_t task) {
  return part.x.data_ptr<uint8_t>() + task * part.x.stride(0);
}

// bytes: `source`, or null where x is of numbers.
TaskBatch stack(const TaskSource& source, const ByteTaskSource* bytes,
                const std::vector<TaskSpec>& specs) {
  if (specs.empty()) throw Error("stack_tasks: no task; expected at least one");
  TaskBatch batch;
  const auto tasks = static_cast<int64_t>(specs.size());
  // The shapes, and the least that holds them.
  std::vector<TaskShape> shapes;
  bool equal = true, same_ways = true;
  for (const auto& spec : specs) {
    shapes.push_back(source.shape(spec));
    const auto& shape = shapes.back();
    if (!alike(shape, shapes[0]))
      throw Error(concat("stack_tasks: task ", shapes.size() - 1, " (step ",
                         spec.id.step, ", index ", spec.id.index,
                         ") has examples or targets of another kind than "
                         "task 0"));
    equal = equal && shape == shapes[0];
    same_ways = same_ways && shape.ways == shapes[0].ways;
    batch.shape = shapes.size() == 1 ? shape : padded(batch.shape, shape);
  }
  const auto values = bytes ? at::kByte : at::kFloat;
  batch.support = allocate(tasks, batch.shape.support, batch.shape, values);
  batch.query = allocate(tasks, batch.shape.query, batch.shape, values);
  for (Part* part : {&batch.support, &batch.query})
    if (!equal || (batch.shape.weighted && part == &batch.support))
      part->weight = at::ones({tasks, part->x.size(1)}, at::kFloat);
  if (!same_ways)
    batch.support.absent = batch.query.absent =
        absent_ways(shapes, batch.shape.ways);
  for (int64_t t = 0; t < tasks; ++t) {
    const TaskSpec& spec = specs[static_cast<size_t>(t)];
    EpisodeView out{view(batch.support, t, batch.shape),
                    view(batch.query, t, batch.shape)};
    if (batch.shape.weighted)
      out.support.weight = batch.support.weight[t].data_ptr<float>();
    if (bytes)
      bytes->materialise_bytes(spec, bytes_at(batch.support, t),
                               bytes_at(batch.query, t), out);
    else
      source.materialise(spec, out);
    if (!equal) {
      const auto& own = shapes[static_cast<size_t>(t)];
      pad(batch.support, t, own.support);
      pad(batch.query, t, own.query);
    }
    batch.ids.push_back(spec.id);
  }
  return batch;
}

}  // namespace

TaskBatch stack_tasks(const TaskSource& source,
                      const std::vector<TaskSpec>& specs) {
  return stack(source, nullptr, specs);
}

TaskBatch stack_as_stored(const TaskSource& source,
                          const std::vector<TaskSpec>& specs) {
  return stack(source, dynamic_cast<const ByteTaskSource*>(&source), specs);
}

TaskBatch to(const TaskBatch& batch, at::Device device, at::ScalarType dtype) {
  const auto move = [&](const at::Tensor& t) {
    if (!t.defined()) return t;
    return upload(t.is_floating_point() ? t.to(dtype) : t, device);
  };
  const auto part = [&](const Part& p) {
    return Part{move(p.x), move(p.y), move(p.weight), p.ways, move(p.absent)};
  };
  TaskBatch out = batch;
  out.support = part(batch.support);
  out.query = part(batch.query);
  return out;
}

}  // namespace protean
