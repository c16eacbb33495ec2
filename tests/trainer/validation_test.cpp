#include "trainer/validation.h"

#include <cmath>

#include "support/catch.h"

using namespace protean;

namespace {

EvalResult result(double accuracy, double loss) {
  EvalResult r;
  EvalStep step;
  step.accuracy = accuracy;
  step.loss = loss;
  r.per_step = {step};
  r.ci95 = 0.0123;
  return r;
}

}  // namespace

TEST_CASE(
    "the best validations are the highest, the earlier of two that are "
    "equal",
    "[trainer]") {
  TrainingState state;
  const auto validated = [&](int64_t step, double score) {
    state.step = step;
    return rank_among_best(state, score, 2);
  };
  CHECK(validated(10, 0.5));
  CHECK(state.validations_without_gain == 0);
  CHECK(validated(20, 0.7));
  CHECK(state.validations_without_gain == 0);
  CHECK(validated(30, 0.6));  // second best: no gain
  CHECK(state.validations_without_gain == 1);
  CHECK_FALSE(validated(40, 0.6));  // as good as the second: too late
  CHECK(state.validations_without_gain == 2);
  CHECK_FALSE(validated(50, 0.5));
  CHECK(state.validations_without_gain == 3);
  CHECK_FALSE(validated(60, NAN));  // says nothing
  CHECK(state.validations_without_gain == 3);
  REQUIRE(state.best.size() == 2);
  CHECK(state.best[0].step == 20);
  CHECK(state.best[0].score == 0.7);
  CHECK(state.best[1].step == 30);
  CHECK(validated(70, 0.7));  // a second place
  CHECK(state.validations_without_gain == 4);
  CHECK(validated(80, 0.71));
  CHECK(state.validations_without_gain == 0);
  CHECK(state.best[0].step == 80);
  CHECK(state.best[1].step == 20);
}

TEST_CASE("regression is better where its loss is lower", "[trainer]") {
  CHECK(validation_score(result(0.25, 3)) == 0.25);
  CHECK(validation_score(result(NAN, 3)) == -3);
  CHECK(validation_score(result(NAN, 2)) > validation_score(result(NAN, 3)));
  CHECK(std::isnan(validation_score(result(NAN, NAN))));
}

TEST_CASE("a target is reached by an accuracy that is not below it",
          "[trainer]") {
  CHECK(reaches_target(result(0.9, 1), 0.9));
  CHECK_FALSE(reaches_target(result(0.8999, 1), 0.9));
  CHECK_FALSE(reaches_target(result(1, 1), 0));  // off
  CHECK_FALSE(reaches_target(result(NAN, 0), 0.9));
}

TEST_CASE("what a validation says, in per cent and as a loss", "[trainer]") {
  CHECK(validation_note(500, result(0.93456, 1)) ==
        "step 500: validation accuracy 93.46 % +- 1.23");
  CHECK(validation_note(7, result(NAN, 2.5)) ==
        "step 7: validation loss 2.5 +- 0.0123");
  auto acts = result(NAN, -4);
  acts.acts = true;
  acts.per_step.insert(acts.per_step.begin(), result(NAN, -1).per_step[0]);
  const auto line = validation_line(7, acts, 0.5);
  CHECK(line.at("step") == 7);
  CHECK(line.at("validation_loss") == -4);
  CHECK(line.at("validation_return") == nlohmann::json({1, 4}));
  CHECK(line.at("validation_ci95") == 0.0123);
  CHECK(line.at("validate_s") == 0.5);
}
