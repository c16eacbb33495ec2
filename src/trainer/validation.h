// What a validation decides and says.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "protean/trainer/evaluate.h"
#include "protean/trainer/training_state.h"

namespace protean {

// Higher is better: the accuracy, for regression minus the loss; NaN where
// there is neither (a GAN without a bound).
double validation_score(const EvalResult& result);

// Takes the score of state.step into state.best, of which `keep` stay, and
// counts the validations without a gain. Of equal scores the earlier is the
// better one. True when it is among the best: its checkpoint stays.
bool rank_among_best(TrainingState& state, double score, int keep);

// Whether the accuracy reaches eval.target_accuracy; never when that is 0, or
// for regression.
bool reaches_target(const EvalResult& result, double target);

// For metrics.jsonl, after `step` steps and `seconds` of validating.
nlohmann::json validation_line(int64_t step, const EvalResult& result,
                               double seconds);
// For people: "step 500: validation accuracy 93.1 % +- 0.8".
std::string validation_note(int64_t step, const EvalResult& result);

}  // namespace protean
