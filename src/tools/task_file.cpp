#include "protean/tools/task_file.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/experiment/step_batches.h"

#include "tools/npz.h"

namespace protean {
namespace {

// One task of a batch.
struct Task {
  at::Tensor support_x, support_y, support_weight;
  at::Tensor query_x, query_y, query_weight;
  int64_t step = 0, index = 0;
};

at::Tensor one(const at::Tensor& all, int64_t t) {
  return all.defined() ? all[t] : at::Tensor();
}

// Tasks of one step by their place in the meta-batch.
std::vector<Task> tasks_of(const Experiment& e, Stream stream, int64_t step) {
  std::vector<Task> tasks;
  for (const auto& b : step_batches(e, stream, step))
    for (int64_t t = 0; t < b.tasks(); ++t) {
      const size_t at = b.ids[static_cast<size_t>(t)].index;
      if (tasks.size() <= at) tasks.resize(at + 1);
      tasks[at] = {one(b.support.x, t),
                   one(b.support.y, t),
                   one(b.support.weight, t),
                   one(b.query.x, t),
                   one(b.query.y, t),
                   one(b.query.weight, t),
                   step,
                   static_cast<int64_t>(at)};
    }
  return tasks;
}

// Stacked, with zeros behind those that are shorter than the longest.
at::Tensor stacked(const std::vector<Task>& tasks, at::Tensor Task::*part) {
  int64_t longest = 0;
  for (const auto& t : tasks) longest = std::max(longest, (t.*part).size(0));
  auto shape = (tasks.front().*part).sizes().vec();
  shape[0] = longest;
  shape.insert(shape.begin(), static_cast<int64_t>(tasks.size()));
  auto all = at::zeros(shape, (tasks.front().*part).options());
  for (size_t i = 0; i < tasks.size(); ++i) {
    const auto& x = tasks[i].*part;
    all[static_cast<int64_t>(i)].narrow(0, 0, x.size(0)).copy_(x);
  }
  return all;
}

// Whether an example counts; undefined where all tasks have as many.
at::Tensor weights(std::vector<Task>& tasks, at::Tensor Task::*x,
                   at::Tensor Task::*weight) {
  bool differ = false;
  for (const auto& t : tasks)
    differ |=
        (t.*weight).defined() || (t.*x).size(0) != (tasks.front().*x).size(0);
  if (!differ) return {};
  for (auto& t : tasks)
    if (!(t.*weight).defined())
      t.*weight = at::ones({(t.*x).size(0)}, at::kFloat);
  return stacked(tasks, weight);
}

}  // namespace

std::string task_file(const Experiment& e, const TaskFileOptions& o) {
  if (o.count < 1)
    throw ConfigError(concat("--count ", o.count, "; expected at least 1"));
  if (o.first_step < 0)
    throw ConfigError(
        concat("--first-step ", o.first_step, "; expected at least 0"));
  const auto wanted = static_cast<size_t>(o.count);
  std::vector<Task> tasks;
  for (int64_t step = o.first_step; tasks.size() < wanted; ++step)
    for (auto& task : tasks_of(e, o.stream, step))
      if (tasks.size() < wanted) tasks.push_back(std::move(task));
  const auto number = [&](int64_t Task::*which) {
    auto all = at::empty({o.count}, at::kLong);
    for (int64_t i = 0; i < o.count; ++i)
      all.data_ptr<int64_t>()[i] = tasks[static_cast<size_t>(i)].*which;
    return all;
  };
  std::vector<NamedArray> arrays = {
      {"support_x", stacked(tasks, &Task::support_x)},
      {"support_y", stacked(tasks, &Task::support_y)},
      {"query_x", stacked(tasks, &Task::query_x)},
      {"query_y", stacked(tasks, &Task::query_y)},
      {"step", number(&Task::step)},
      {"index", number(&Task::index)}};
  const auto add = [&](const char* name, const at::Tensor& weight) {
    if (weight.defined()) arrays.push_back({name, weight});
  };
  add("support_weight",
      weights(tasks, &Task::support_x, &Task::support_weight));
  add("query_weight", weights(tasks, &Task::query_x, &Task::query_weight));
  return npz(arrays);
}

}  // namespace protean
