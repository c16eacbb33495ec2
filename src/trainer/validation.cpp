#include "trainer/validation.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"

namespace protean {
namespace {

bool has_classes(const EvalResult& r) { return !std::isnan(r.last().accuracy); }

}  // namespace

double validation_score(const EvalResult& r) {
  return has_classes(r) ? r.last().accuracy : -r.last().loss;
}

bool rank_among_best(TrainingState& state, double score, int keep) {
  if (std::isnan(score)) return false;
  auto& best = state.best;
  const auto place = std::find_if(
      best.begin(), best.end(), [&](const auto& b) { return score > b.score; });
  state.validations_without_gain =
      place == best.begin() ? 0 : state.validations_without_gain + 1;
  const bool stays = place - best.begin() < keep;
  best.insert(place, {score, state.step});
  if (best.size() > static_cast<size_t>(keep)) best.pop_back();
  return stays;
}

bool reaches_target(const EvalResult& r, double target) {
  return target > 0 && has_classes(r) && r.last().accuracy >= target;
}

nlohmann::json validation_line(int64_t step, const EvalResult& r,
                               double seconds) {
  const auto& last = r.last();
  nlohmann::json line = {{"step", step},
                         {"validation_loss", last.loss},
                         {"validation_accuracy", last.accuracy},
                         {"validation_ci95", r.ci95},
                         {"validate_s", seconds}};
  if (r.acts)  // after 0, 1, ... inner steps
    for (const auto& s : r.per_step)
      line["validation_return"].push_back(-s.loss);
  return line;
}

std::string validation_note(int64_t step, const EvalResult& r) {
  const auto percent = [](double share) {
    return std::round(share * 1e4) / 100;
  };
  const auto& last = r.last();
  return has_classes(r)
             ? concat("step ", step, ": validation accuracy ",
                      percent(last.accuracy), " % +- ", percent(r.ci95))
             : concat("step ", step, ": validation loss ", last.loss, " +- ",
                      r.ci95);
}

}  // namespace protean
