#include "protean/trainer/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "protean/coordinator/planner.h"
#include "protean/learners/task_loss.h"

namespace protean {
namespace {

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

double median(std::vector<double> v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

// Of the mean, by the normal approximation and the population deviation.
double interval95(const std::vector<double>& v) {
  const double m = mean(v);
  double squares = 0;
  for (double x : v) squares += (x - m) * (x - m);
  const double n = static_cast<double>(v.size());
  return 1.96 * std::sqrt(squares / n) / std::sqrt(n);
}

}  // namespace

nlohmann::json EvalResult::to_json() const {
  auto number = [](double v) -> nlohmann::json {
    return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json();
  };
  nlohmann::json steps = nlohmann::json::array();
  for (const auto& s : per_step)
    steps.push_back({{"accuracy", number(s.accuracy)},
                     {"loss", number(s.loss)},
                     {"loss_median", number(s.loss_median)}});
  return {{"accuracy", number(last().accuracy)},
          {"ci95", number(ci95)},
          {"loss", number(last().loss)},
          {"loss_median", number(last().loss_median)},
          {"tasks", tasks},
          {"ways", ways},
          {"shots", shots},
          {"queries", queries},
          {"mode", transductive ? "transductive" : "inductive"},
          {"per_step", steps}};
}

EvalResult evaluate(const Experiment& e, Communicator& comm,
                    const MetaView& meta, Stream stream, int64_t tasks) {
  const auto& source = e.tasks.of(stream);
  std::vector<TaskSpec> specs;
  std::vector<TaskCost> costs;
  for (uint32_t i = 0; i < static_cast<uint32_t>(tasks); ++i) {
    specs.push_back(source.describe(e.config.run.seed, {stream, 0, i}, {}));
    costs.push_back({source.shape(specs.back()).key(), 1});
  }
  auto stacks = cut_stacks(costs, stack_limit(e));
  choose_owners(stacks, comm.size());

  const int64_t steps = e.learner->eval_steps() + 1;
  // Each entry is written by the one rank that owns the task: the sum over
  // ranks is a gather, exact in any order.
  auto table = at::zeros({2, steps, tasks}, at::kDouble);
  auto* loss = table.data_ptr<double>();
  auto* accuracy = loss + steps * tasks;
  bool classes = true;
  for (const auto& stack : stacks) {
    if (stack.owner != comm.rank()) continue;
    std::vector<TaskSpec> own;
    for (uint32_t i : stack.index) own.push_back(specs[i]);
    const auto batch = to(stack_tasks(source, own), meta.theta.device(),
                          meta.theta.scalar_type());
    e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
      const auto prediction = e.learner->predict(phi, batch.query);
      const auto l = task_loss(prediction, batch.query, batch.shape.target)
                         .to(at::kCPU, at::kDouble);
      const auto a = task_accuracy(prediction, batch.query, batch.shape.target);
      const auto host =
          a.defined() ? a.to(at::kCPU, at::kDouble) : at::zeros_like(l);
      for (size_t j = 0; j < stack.index.size(); ++j) {
        loss[k * tasks + stack.index[j]] = l[j].item<double>();
        accuracy[k * tasks + stack.index[j]] = host[j].item<double>();
      }
    });
  }
  comm.all_reduce(table.data_ptr(), static_cast<size_t>(table.numel()),
                  DType::f64, ReduceOp::sum);

  EvalResult r;
  const auto shape = source.shape(specs.front());
  classes = shape.target == TargetKind::classes;
  r.tasks = tasks;
  r.ways = shape.ways;
  r.shots = classes ? shape.support / shape.ways : shape.support;
  r.queries = classes ? shape.query / shape.ways : shape.query;
  r.transductive = e.learner->transductive();
  for (int64_t k = 0; k < steps; ++k) {
    r.task_loss.assign(loss + k * tasks, loss + (k + 1) * tasks);
    r.task_accuracy.assign(accuracy + k * tasks, accuracy + (k + 1) * tasks);
    r.per_step.push_back({classes ? mean(r.task_accuracy)
                                  : std::numeric_limits<double>::quiet_NaN(),
                          mean(r.task_loss), median(r.task_loss)});
  }
  r.ci95 = interval95(classes ? r.task_accuracy : r.task_loss);
  return r;
}

}  // namespace protean
