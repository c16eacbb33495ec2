#include "protean/trainer/step_objective.h"

#include <algorithm>
#include <chrono>

#include "protean/coordinator/cost_model.h"
#include "protean/core/clock.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/core/trace.h"
#include "protean/learners/phase.h"
#include "protean/tasks/byte_tasks.h"

#include "trainer/state_scale.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

// Adds up the phases that a learner announces on this thread.
class PhaseStopwatch {
 public:
  explicit PhaseStopwatch(StepTimes& times) : times_(times) {
    set_phase_listener([this](Phase next) {
      const double spent = seconds_since(start_);
      const int64_t end_us = tracing() ? trace_now() : 0;
      if (now_ == Phase::inner) times_.inner += spent;
      if (now_ == Phase::outer) times_.outer += spent;
      if (now_ != Phase::idle)
        trace_span("compute", now_ == Phase::inner ? "inner" : "outer",
                   begin_us_, end_us);
      now_ = next;
      start_ = Clock::now();
      begin_us_ = end_us;
    });
  }
  ~PhaseStopwatch() { set_phase_listener({}); }
  PhaseStopwatch(const PhaseStopwatch&) = delete;
  PhaseStopwatch& operator=(const PhaseStopwatch&) = delete;

 private:
  StepTimes& times_;
  Phase now_ = Phase::idle;
  Clock::time_point start_ = Clock::now();
  int64_t begin_us_ = 0;
};

}  // namespace

StepTimes& StepTimes::operator+=(const StepTimes& more) {
  data += more.data;
  inner += more.inner;
  outer += more.outer;
  reduce += more.reduce;
  optimiser += more.optimiser;
  cpu += more.cpu;
  return *this;
}

StepObjective::StepObjective(const Setting& setting,
                             std::function<RankReport()> report,
                             Station* station,
                             std::function<StreamState(int64_t)> stream)
    : experiment_(setting.experiment),
      comm_(setting.comm),
      reduction_(setting.reduction),
      device_(setting.device),
      report_(std::move(report)),
      station_(station),
      stream_(std::move(stream)),
      reducer_(comm_, reduction_, experiment_.learner->spaces().theta.size(),
               experiment_.learner->spaces().state.size(), device_) {
  if (reduction_.level == ReductionLevel::exact)
    scale_ = std::make_unique<StateScale>(experiment_.learner->spaces().state,
                                          device_);
  losses_.resize(static_cast<size_t>(experiment_.learner->losses()));
  const auto& config = experiment_.config;
  const auto stacks = plan(setting.first_step, nullptr);
  stacks_per_step_ = static_cast<int64_t>(stacks.size());
  // Tasks that differ are cut into another number of stacks at each step.
  most_stacks_ = config.task.levels() > 0 || experiment_.tasks.unequal
                     ? int64_t{config.task.meta_batch}
                     : stacks_per_step_;
  tasks_by_rank_.assign(comm_.size(), 0);
  for (const auto& stack : stacks)
    tasks_by_rank_[stack.owner] += static_cast<int64_t>(stack.index.size());
  prefetcher_ = std::make_unique<Prefetcher>(
      [this](int64_t step) {
        set_thread_log_rank(comm_.rank(), comm_.size());
        const TraceSpan span("tasks", concat("step ", step));
        return own_batches(step);
      },
      setting.first_step, setting.end_step, config.data.prefetch);
}

StepObjective::~StepObjective() = default;

std::vector<StackPlan> StepObjective::plan(int64_t step,
                                           std::vector<TaskSpec>* specs) const {
  const auto& source = experiment_.tasks.of(Stream::train);
  const auto& config = experiment_.config;
  const StreamState stream = stream_ ? stream_(step) : StreamState();
  std::vector<TaskShape> shapes;
  for (uint32_t i = 0; i < static_cast<uint32_t>(config.task.meta_batch); ++i) {
    auto spec = source.describe(config.run.seed,
                                {Stream::train, static_cast<uint32_t>(step), i},
                                stream);
    shapes.push_back(source.shape(spec));
    if (specs) specs->push_back(std::move(spec));
  }
  auto stacks = cut_stacks(shapes, cut_options(experiment_));
  // fixed promises the same sums to the same ranks: owners then follow the
  // shapes alone.
  if (station_ && config.coordinator.balance &&
      reduction_.level != ReductionLevel::fixed)
    predict_costs(*station_->costs().at(step), stacks);
  const bool apart = config.coordinator.dedicated && comm_.size() > 1;
  choose_owners(stacks, comm_.size(), apart ? 1 : 0);
  return stacks;
}

std::vector<TaskBatch> StepObjective::own_batches(int64_t step) const {
  std::vector<TaskSpec> specs;
  std::vector<TaskBatch> batches;
  for (const auto& stack : plan(step, &specs)) {
    if (stack.owner != comm_.rank()) continue;
    std::vector<TaskSpec> own;
    for (uint32_t i : stack.index) own.push_back(std::move(specs[i]));
    batches.push_back(
        stack_as_stored(experiment_.tasks.of(Stream::train), own));
  }
  return batches;
}

void StepObjective::begin_step(int64_t step, const MetaView& meta) {
  times_ = {};
  step_ = step;
  meta_ = meta;
  enter(RankPhase::tasks);
  const auto start = Clock::now();
  if (scale_) scale_->measure(meta.state);
  batches_ = prefetcher_->take(step);
  times_.data = seconds_since(start);
}

at::Tensor StepObjective::gradient(int which) {
  PhaseStopwatch stopwatch(times_);
  do {
    reducer_.begin(most_stacks_);
    for (const auto& batch : batches_) {
      // All ranks join in, whatever they own.
      if (reduction_.overlap && &batch == &batches_.back()) reducer_.ship();
      run_stack(which, batch);
    }
    if (reduction_.overlap && batches_.empty()) reducer_.ship();
    auto report = report_();
    report.busy_s = static_cast<float>(times_.inner + times_.outer);
    report.cpu_s = static_cast<float>(times_.cpu);
    if (station_)
      report.cost_version = static_cast<uint32_t>(station_->costs().newest());
    enter(RankPhase::waiting);
    const double before = reducer_.comm_seconds();
    const bool done = reducer_.finish(report, meta_, step_, totals_);
    times_.reduce += reducer_.comm_seconds() - before;
    if (done) break;
  } while (true);
  if (scale_) scale_->undo(totals_.state);
  losses_.at(static_cast<size_t>(which)) = totals_.loss;
  agree_on_costs();
  enter(RankPhase::updating);
  return totals_.gradient;
}

void StepObjective::step_done(double seconds) {
  times_.optimiser = seconds - times_.inner - times_.outer - times_.reduce;
}

void StepObjective::run_stack(int which, const TaskBatch& batch) {
  enter(RankPhase::computing);
  StackCost cost{batch.shape.key(),
                 static_cast<double>(batch.shape.examples()) *
                     static_cast<double>(batch.tasks()),
                 0};
  if (station_) station_->observe(cost);
  // Of this thread; its share of a team's work is as good as any other's.
  const double before = thread_cpu_seconds();
  const auto sums = reducer_.stack_sums();
  const auto losses =
      experiment_.learner->gradient_of(which, as_numbers(batch), meta_, sums);
  if (scale_) scale_->apply(sums.state);
  std::vector<uint32_t> indices;
  for (const auto& id : batch.ids) indices.push_back(id.index);
  reducer_.stack_done(indices, losses);
  cost.seconds = thread_cpu_seconds() - before;
  times_.cpu += cost.seconds;
  if (station_) station_->observe(cost);
}

TaskBatch StepObjective::as_numbers(const TaskBatch& batch) const {
  const auto moved = device_.is_cpu() ? batch : to(batch, device_, at::kFloat);
  const auto* bytes =
      dynamic_cast<const ByteTaskSource*>(&experiment_.tasks.of(Stream::train));
  return bytes ? with_numbers(moved, bytes->scale()) : moved;
}

void StepObjective::agree_on_costs() {
  if (!station_) return;
  uint32_t least = totals_.ranks.front().cost_version;
  for (const auto& rank : totals_.ranks)
    least = std::min(least, rank.cost_version);
  // Tasks are prepared up to data.prefetch steps ahead; those plans stand.
  station_->costs().decide(
      least,
      step_ + static_cast<int64_t>(experiment_.config.data.prefetch) + 1);
}

void StepObjective::enter(RankPhase phase) const {
  if (station_) station_->enter(phase, step_);
}

}  // namespace protean
