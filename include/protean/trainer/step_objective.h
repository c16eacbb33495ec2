// One meta-step's global mean: this rank's stacks through the learner, then one
// collective.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "protean/coordinator/planner.h"
#include "protean/coordinator/station.h"
#include "protean/experiment/experiment.h"
#include "protean/learners/outer_step.h"
#include "protean/tasks/prefetcher.h"
#include "protean/trainer/reduction.h"

namespace protean {

// Seconds of one step on this rank.
struct StepTimes {
  double data = 0;       // waiting for tasks
  double inner = 0;      // adapting
  double outer = 0;      // meta-gradient
  double reduce = 0;     // in the collective, waiting for others included
  double optimiser = 0;  // the rest of the outer step
  double cpu = 0;        // processor time of inner and outer

  StepTimes& operator+=(const StepTimes& more);
};

class StateScale;

class StepObjective : public Objective {
 public:
  // What trains, and where. The references must outlive the objective.
  struct Setting {
    const Experiment& experiment;
    Communicator& comm;
    ReductionOptions reduction;
    at::Device device;
    int64_t first_step = 0;
    int64_t end_step = 0;  // no task of this one or later ones is made
  };
  // report: what this rank tells the others, asked once per collective.
  // stream: the training stream's state at a step; empty: it has none. Any
  // thread. station: null where nobody coordinates (a benchmark).
  StepObjective(const Setting& setting, std::function<RankReport()> report,
                Station* station = nullptr,
                std::function<StreamState(int64_t)> stream = {});
  ~StepObjective() override;

  // Takes the step's tasks; meta is read by gradient().
  void begin_step(int64_t step, const MetaView& meta);
  at::Tensor gradient(int which) override;
  // The outer step is over, after so many seconds.
  void step_done(double seconds);

  const StepTotals& totals() const { return totals_; }  // of the last loss
  // The newest of each of the learner's losses, by number; at least one.
  const std::vector<double>& losses() const { return losses_; }
  const StepTimes& times() const { return times_; }
  StepReducer& reducer() { return reducer_; }
  // Of the first step, as are the tasks that each rank owns.
  int64_t stacks_per_step() const { return stacks_per_step_; }
  const std::vector<int64_t>& tasks_by_rank() const { return tasks_by_rank_; }

 private:
  // The whole meta-batch, cut and dealt; the same on every rank.
  std::vector<StackPlan> plan(int64_t step, std::vector<TaskSpec>* specs) const;
  std::vector<TaskBatch> own_batches(int64_t step) const;
  void enter(RankPhase phase) const;
  void run_stack(int which, const TaskBatch& batch);
  // A batch as the learner takes it, on the device.
  TaskBatch as_numbers(const TaskBatch& batch) const;
  // Which cost table the plans of later steps use, from what ranks hold.
  void agree_on_costs();

  const Experiment& experiment_;
  Communicator& comm_;
  const ReductionOptions reduction_;
  at::Device device_;
  std::function<RankReport()> report_;
  Station* station_;
  std::function<StreamState(int64_t)> stream_;
  StepReducer reducer_;
  int64_t stacks_per_step_ = 0;
  int64_t most_stacks_ = 0;  // of any step
  std::vector<int64_t> tasks_by_rank_;
  int64_t step_ = 0;
  MetaView meta_;
  std::vector<TaskBatch> batches_;
  StepTotals totals_;
  std::vector<double> losses_;
  std::unique_ptr<StateScale> scale_;  // in exact
  StepTimes times_;
  std::unique_ptr<Prefetcher> prefetcher_;  // last: its thread uses the rest
};

}  // namespace protean
