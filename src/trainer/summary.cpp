#include "trainer/summary.h"

namespace protean {

nlohmann::json run_summary(const Experiment& e, const TrainingState& state) {
  const auto c = to_checkpoint(state, e.learner->spaces(), {});
  const auto& config = e.config;
  const auto& spent = state.spent;
  const auto per_second = [&](double amount) {
    return spent.wall_s > 0 ? amount / spent.wall_s : 0.0;
  };
  nlohmann::json s = {
      {"theta_sha256", theta_sha256(c)},
      {"state_sha256", state_sha256(c)},
      {"steps", state.step},
      {"reduction", config.reduction},
      {"threads", config.run.threads},
      {"tasks_seen", state.tasks_seen},
      {"seed", config.run.seed},
      {"wall_s", spent.wall_s},
      {"tasks_per_s",
       per_second(static_cast<double>(spent.steps * config.task.meta_batch))},
      {"validation_share", per_second(spent.validate_s)},
      {"checkpoint_share", per_second(spent.store_s)},
      {"setbacks", state.setbacks},
      {"learner", e.learner->name()},
      {"data_checksum", e.tasks.checksum}};
  if (!state.validation.is_null()) s["validation"] = state.validation;
  if (!state.best.empty())
    s["best_validation"] = {{"step", state.best.front().step},
                            {"score", state.best.front().score}};
  return s;
}

}  // namespace protean
