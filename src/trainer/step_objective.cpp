#include "trainer/step_objective.h"

#include <chrono>

#include "protean/learners/phase.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Adds up the phases that a learner announces on this thread.
class PhaseStopwatch {
 public:
  explicit PhaseStopwatch(StepTimes& times) : times_(times) {
    set_phase_listener([this](Phase next) {
      const double spent = seconds_since(start_);
      if (now_ == Phase::inner) times_.inner += spent;
      if (now_ == Phase::outer) times_.outer += spent;
      now_ = next;
      start_ = Clock::now();
    });
  }
  ~PhaseStopwatch() { set_phase_listener({}); }
  PhaseStopwatch(const PhaseStopwatch&) = delete;
  PhaseStopwatch& operator=(const PhaseStopwatch&) = delete;

 private:
  StepTimes& times_;
  Phase now_ = Phase::idle;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

StepObjective::StepObjective(const Experiment& experiment, Communicator& comm,
                             ReductionLevel level, at::Device device,
                             int64_t first_step,
                             std::function<RankReport()> report)
    : experiment_(experiment),
      comm_(comm),
      device_(device),
      report_(std::move(report)),
      reducer_(comm, level, experiment.learner->spaces().theta.size(),
               experiment.learner->spaces().state.size(), device) {
  const auto stacks = plan(first_step, nullptr);
  stacks_per_step_ = static_cast<int64_t>(stacks.size());
  tasks_by_rank_.assign(comm.size(), 0);
  for (const auto& stack : stacks)
    tasks_by_rank_[stack.owner] += static_cast<int64_t>(stack.index.size());
  prefetcher_ = std::make_unique<Prefetcher>(
      [this](int64_t step) { return own_batches(step); }, first_step,
      experiment.config.run.steps, experiment.config.data.prefetch);
}

std::vector<StackPlan> StepObjective::plan(int64_t step,
                                           std::vector<TaskSpec>* specs) const {
  const auto& source = experiment_.tasks.of(Stream::train);
  const auto& config = experiment_.config;
  std::vector<TaskCost> costs;
  for (uint32_t i = 0; i < static_cast<uint32_t>(config.task.meta_batch); ++i) {
    auto spec = source.describe(
        config.run.seed, {Stream::train, static_cast<uint32_t>(step), i}, {});
    const auto shape = source.shape(spec);
    costs.push_back(
        {shape.key(), static_cast<float>(shape.support + shape.query)});
    if (specs) specs->push_back(std::move(spec));
  }
  auto stacks = cut_stacks(costs, stack_limit(experiment_));
  choose_owners(stacks, comm_.size());
  return stacks;
}

std::vector<TaskBatch> StepObjective::own_batches(int64_t step) const {
  std::vector<TaskSpec> specs;
  std::vector<TaskBatch> batches;
  for (const auto& stack : plan(step, &specs)) {
    if (stack.owner != comm_.rank()) continue;
    std::vector<TaskSpec> own;
    for (uint32_t i : stack.index) own.push_back(std::move(specs[i]));
    batches.push_back(stack_tasks(experiment_.tasks.of(Stream::train), own));
  }
  return batches;
}

void StepObjective::begin_step(int64_t step, const MetaView& meta) {
  times_ = {};
  step_ = step;
  meta_ = meta;
  const auto start = Clock::now();
  batches_ = prefetcher_->take(step);
  times_.data = seconds_since(start);
}

at::Tensor StepObjective::gradient() {
  PhaseStopwatch stopwatch(times_);
  do {
    reducer_.begin(stacks_per_step_);
    for (const auto& batch : batches_) {
      const auto losses = experiment_.learner->gradient(
          device_.is_cpu() ? batch : to(batch, device_, at::kFloat), meta_,
          reducer_.stack_sums());
      std::vector<uint32_t> indices;
      for (const auto& id : batch.ids) indices.push_back(id.index);
      reducer_.stack_done(indices, losses);
    }
    auto report = report_();
    report.busy_s = static_cast<float>(times_.inner + times_.outer);
    const double before = reducer_.comm_seconds();
    const bool done = reducer_.finish(report, step_, totals_);
    times_.reduce += reducer_.comm_seconds() - before;
    if (done) break;
  } while (true);
  return totals_.gradient;
}

}  // namespace protean
