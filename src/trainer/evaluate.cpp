#include "protean/trainer/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "protean/coordinator/planner.h"
#include "protean/core/lists.h"
#include "protean/generative/generated_shots.h"
#include "protean/learners/task_loss.h"
#include "protean/trainer/interval.h"

namespace protean {

bool gives_probabilities(const Experiment& e) {
  const auto& o = e.config.learner;
  const bool neighbours = o.readout == "neighbour" || o.readout == "pixels";
  return o.name != "relation" && o.name != "siamese" &&
         !(o.name == "baseline" && neighbours);
}

EvalTasks draw_tasks(TaskSourcePtr source, uint64_t seed, Stream stream,
                     int64_t count) {
  EvalTasks tasks{std::move(source), {}};
  for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i)
    tasks.specs.push_back(tasks.source->describe(seed, {stream, 0, i}, {}));
  return tasks;
}

EvalTasks stream_tasks(const Experiment& e, Stream stream, int64_t count) {
  return draw_tasks(e.tasks.ptr(stream), e.config.run.seed, stream, count);
}

double EvalResult::loss_ci95() const { return interval95(last().task_loss); }

nlohmann::json EvalResult::to_json() const {
  auto number = [](double v) -> nlohmann::json {
    return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json();
  };
  nlohmann::json steps = nlohmann::json::array();
  for (const auto& s : per_step) {
    steps.push_back({{"accuracy", number(s.accuracy)},
                     {"loss", number(s.loss)},
                     {"loss_median", number(s.loss_median)}});
    if (acts) {
      steps.back()["return"] = number(-s.loss);
      steps.back()["return_ci95"] = number(interval95(s.task_loss));
    }
  }
  nlohmann::json json = {{"accuracy", number(last().accuracy)},
                         {"ci95", number(ci95)},
                         {"loss", number(last().loss)},
                         {"loss_median", number(last().loss_median)},
                         {"ece", number(ece)},
                         {"tasks", tasks},
                         {"ways", ways},
                         {"shots", shots},
                         {"generated_shots", generated_shots},
                         {"queries", queries},
                         {"mode", transductive ? "transductive" : "inductive"},
                         {"per_step", steps}};
  if (acts) json["return"] = number(-last().loss);
  if (labels > 1) {  // characters
    json["bits_per_character"] = number(last().loss / std::numbers::ln2);
    json["bits_per_character_before"] =
        number(per_step.front().loss / std::numbers::ln2);
  }
  return json;
}

namespace {

// What every task gave: steps x tasks of each, then the calibration of the last
// step. Each entry is written by the one rank that owns the task: the sum over
// ranks is a gather, exact in any order.
struct Table {
  int64_t steps, tasks;
  at::Tensor loss, accuracy, bins;

  Table(int64_t steps, int64_t tasks)
      : steps(steps),
        tasks(tasks),
        loss(at::zeros({steps, tasks}, at::kDouble)),
        accuracy(at::zeros({steps, tasks}, at::kDouble)),
        bins(at::zeros({tasks, 3 * Calibration::kBins}, at::kDouble)) {}

  void gather(Communicator& comm) {
    for (auto* t : {&loss, &accuracy, &bins})
      comm.all_reduce(t->data_ptr(), static_cast<size_t>(t->numel()),
                      DType::f64, ReduceOp::sum);
  }
  std::vector<double> row(const at::Tensor& t, int64_t step) const {
    const double* begin = t.data_ptr<double>() + step * tasks;
    return {begin, begin + tasks};
  }
};

void run_stack(const Experiment& e, const MetaView& meta,
               const EvalTasks& tasks, const std::vector<uint32_t>& indices,
               Table& table) {
  std::vector<TaskSpec> own;
  std::vector<int64_t> at_rows;
  for (uint32_t i : indices) {
    own.push_back(tasks.specs[i]);
    at_rows.push_back(i);
  }
  const auto rows = at::tensor(at_rows, at::kLong);
  const auto batch = to(stack_tasks(*tasks.source, own), meta.theta.device(),
                        meta.theta.scalar_type());
  int64_t visits = 0;
  // Where they go, and the values, (T, ...): a device is read once for all.
  std::vector<at::Tensor> places, values;
  const auto put = [&](const at::Tensor& to, const at::Tensor& of_tasks) {
    places.push_back(to);
    values.push_back(of_tasks.to(at::kDouble).flatten(1));
  };
  e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    ++visits;
    const auto prediction = e.learner->predict(phi, batch.query);
    put(table.loss.select(0, k).unsqueeze(1),
        task_loss(prediction, batch.query, batch.shape.target).unsqueeze(1));
    if (batch.shape.target != TargetKind::classes) return;
    put(table.accuracy.select(0, k).unsqueeze(1),
        task_accuracy(prediction.to(at::kDouble), batch.query,
                      batch.shape.target)
            .unsqueeze(1));
    if (k == table.steps - 1)
      put(table.bins, calibration_sums(prediction, batch.query));
  });
  const auto all = at::cat(values, 1).to(at::kCPU);
  int64_t column = 0;
  for (const auto& to : places) {
    to.index_copy_(0, rows, all.narrow(1, column, to.size(1)));
    column += to.size(1);
  }
  if (visits != table.steps)
    throw Error(concat("learner.name = ", e.learner->name(), " adapted in ",
                       visits - 1, " steps; expected ", table.steps - 1));
}

}  // namespace

EvalResult evaluate(const Experiment& e, Communicator& comm,
                    const MetaView& meta, const EvalTasks& tasks) {
  std::vector<TaskShape> shapes;
  for (const auto& spec : tasks.specs)
    shapes.push_back(tasks.source->shape(spec));
  auto stacks = cut_stacks(shapes, {.limit = stack_limit(e)});
  choose_owners(stacks, comm.size());

  const auto count = static_cast<int64_t>(tasks.specs.size());
  Table table(e.learner->eval_steps() + 1, count);
  for (const auto& stack : stacks)
    if (stack.owner == comm.rank())
      run_stack(e, meta, tasks, stack.index, table);
  table.gather(comm);

  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  EvalResult r;
  const auto shape = tasks.source->shape(tasks.specs.front());
  const bool classes = shape.target == TargetKind::classes;
  r.tasks = count;
  r.ways = shape.ways;
  const bool by_class = classes && shape.target_size == 1;
  const auto* made = dynamic_cast<const GeneratedShots*>(tasks.source.get());
  r.generated_shots = made ? e.config.task.generated_shots : 0;
  r.shots = by_class ? shape.support / shape.ways : shape.support;
  r.shots -= r.generated_shots;
  r.queries = by_class ? shape.query / shape.ways : shape.query;
  r.labels = classes ? shape.target_size : 1;
  r.transductive = e.learner->transductive();
  r.acts = e.tasks.environment != nullptr;
  r.visits_support = e.learner->visits_support();
  for (int64_t k = 0; k < table.steps; ++k) {
    EvalStep step;
    // A softmax over scores that were never trained as one says nothing.
    const bool losses = !classes || gives_probabilities(e);
    step.task_loss = losses ? table.row(table.loss, k)
                            : std::vector<double>(tasks.specs.size(), kNone);
    step.loss = losses ? mean(step.task_loss) : kNone;
    step.loss_median = losses ? median(step.task_loss) : kNone;
    if (classes) step.task_accuracy = table.row(table.accuracy, k);
    step.accuracy = classes ? mean(step.task_accuracy) : kNone;
    r.per_step.push_back(std::move(step));
  }
  r.ci95 = interval95(classes ? r.last().task_accuracy : r.last().task_loss);
  Calibration calibration;
  const bool calibrated = classes && gives_probabilities(e);
  for (int64_t t = 0; calibrated && t < count; ++t)
    calibration.add(table.bins.data_ptr<double>() + t * 3 * Calibration::kBins);
  r.ece = calibration.error();
  return r;
}

}  // namespace protean
