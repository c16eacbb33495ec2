#include "protean/trainer/meta_step.h"

#include <chrono>

#include <ATen/ATen.h>

#include "protean/comm/preflight.h"
#include "protean/core/clock.h"
#include "protean/core/error.h"

namespace protean {
namespace {

void check_agreement(const StepTotals& totals, int64_t step,
                     const char* whose) {
  for (size_t r = 1; r < totals.ranks.size(); ++r)
    if (totals.ranks[r].hash != totals.ranks[0].hash)
      throw AgreedError(
          concat(whose, "step ", step, ": rank ", r,
                 " holds other parameters than rank 0 (hash ",
                 totals.ranks[r].hash, " and ", totals.ranks[0].hash,
                 "); expected the same bits"),
          kExitFailed);
}

void check_finite(const TrainingState& state, int64_t step) {
  if (!at::isfinite(state.meta.theta).all().item<bool>())
    throw NumericError(concat("step ", step,
                              ": the outer step leaves parameters that are not "
                              "finite; expected finite values: lower "
                              "optim.lr"));
}

}  // namespace

void check_finite(const TrainingState& state) {
  check_finite(state, state.step - 1);
}

void meta_step(StepObjective& objective, TrainingState& state,
               const MetaStepOptions& options) {
  objective.begin_step(state.step, state.meta);
  const auto start = std::chrono::steady_clock::now();
  state.outer->run(objective, state.meta.theta,
                   {state.step, options.steps, options.rate});
  if (state.meta.theta.is_cpu()) check_finite(state, state.step);
  objective.step_done(seconds_since(start));
  const auto& totals = objective.totals();
  check_agreement(totals, state.step, options.whose);
  if (state.meta.state.numel()) state.meta.state.copy_(totals.state);
  state.exponents = objective.reducer().exponents();
  state.tasks_seen += totals.tasks;
  ++state.step;
}

}  // namespace protean
