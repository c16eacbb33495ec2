#include "trainer/step_log.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/clock.h"
#include "protean/generative/gan_loss_names.h"

namespace protean {

StepLog::StepLog(const Experiment& experiment) : experiment_(experiment) {
  const auto& source = experiment.tasks.of(Stream::train);
  classes_ =
      source.shape(source.describe(0, {}, {})).target == TargetKind::classes;
  restart();
}

void StepLog::add(const StepTimes& times) {
  window_ += times;
  ++steps_;
}

void StepLog::restart() {
  window_ = {};
  steps_ = 0;
  start_ = std::chrono::steady_clock::now();
}

nlohmann::json StepLog::take(const TrainingState& state,
                             const StepTotals& totals,
                             const std::vector<double>& losses,
                             uint32_t held_back) {
  const double elapsed = seconds_since(start_);
  const double steps = static_cast<double>(steps_);
  double busy = 0, busiest = 0;
  const RankReport* worst = &totals.ranks.front();
  for (const auto& rank : totals.ranks) {
    busy += rank.cpu_s;
    busiest = std::max<double>(busiest, rank.cpu_s);
    if (rank.worst_loss > worst->worst_loss) worst = &rank;
  }
  nlohmann::json line = {
      {"step", state.step},
      {"loss", losses.front()},
      {"accuracy", accuracy(totals)},
      {"tasks_per_s", steps * experiment_.config.task.meta_batch / elapsed},
      {"data_s", window_.data / steps},
      {"inner_s", window_.inner / steps},
      {"outer_s", window_.outer / steps},
      {"reduce_s", window_.reduce / steps},
      {"optimiser_s", window_.optimiser / steps},
      {"grad_norm", state.outer->last_gradient_norm()},
      {"theta_norm",
       state.meta.theta.to(at::kCPU, at::kDouble).norm().item<double>()},
      {"worst_task", worst->worst_task},
      {"worst_loss", worst->worst_loss},
      {"held_back", held_back},
      {"imbalance",
       busy > 0 ? busiest * static_cast<double>(totals.ranks.size()) / busy
                : 1.0}};
  for (size_t i = 0; losses.size() > 1 && i < losses.size(); ++i)
    line[kGanLossNames.at(i)] = losses[i];
  if (experiment_.tasks.environment) {  // see rl/policy_learner.h
    line["return_before"] = totals.accuracy;
    line["return"] = -totals.loss;
  }
  restart();
  return line;
}

}  // namespace protean
