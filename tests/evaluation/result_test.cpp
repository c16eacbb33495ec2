// What a result states, from values worked out by hand.
#include <cmath>
#include <numbers>

#include "protean/trainer/interval.h"

#include "evaluation/results.h"
#include "support/catch.h"

using namespace protean;

TEST_CASE("a result states its last step, and each step", "[evaluation]") {
  const auto json = four_tasks().to_json();
  CHECK(json["accuracy"] == 0.75);
  CHECK(json["ci95"] == 0.125);
  CHECK(json["loss"] == 0.625);
  CHECK(json["loss_median"] == 0.75);
  CHECK(json["ece"] == 0.0625);
  CHECK(json["tasks"] == 4);
  CHECK(json["ways"] == 5);
  CHECK(json["shots"] == 1);
  CHECK(json["queries"] == 15);
  CHECK(json["mode"] == "inductive");
  REQUIRE(json["per_step"].size() == 2);
  CHECK(json["per_step"][0]["accuracy"] == 0.25);
  CHECK(json["per_step"][0]["loss"] == 2);
  CHECK(json["per_step"][1]["accuracy"] == 0.75);
  CHECK_FALSE(json.contains("bits_per_character"));
  CHECK_FALSE(json.contains("return"));
}

// 1, 0.25, 0.5, 0.75 lie 0.375, 0.375, 0.125, 0.125 from their mean: squares of
// 0.3125; Student's t of 3 degrees of freedom is 3.1824.
TEST_CASE("the interval of a few losses is Student's", "[evaluation]") {
  CHECK(four_tasks().loss_ci95() ==
        Approx(3.1824 * std::sqrt(0.3125 / 3 / 4)).epsilon(1e-12));
}

TEST_CASE("the interval of many values is 1.96 standard errors",
          "[evaluation]") {
  std::vector<double> values;
  for (int i = 0; i < 29; ++i) values.push_back(i % 2);
  // 14 ones and 15 zeros: squares of 14 * 15 / 29.
  CHECK(interval95(values) ==
        Approx(2.0484 * std::sqrt(14 * 15 / 29.0 / 28 / 29)));
  values.push_back(1);
  CHECK(interval95(values) == Approx(1.96 * 0.5 / std::sqrt(30.0)));
  CHECK(std::isnan(interval95({3})));
}

TEST_CASE("losses of text are told in bits, of a policy as returns",
          "[evaluation]") {
  auto text = four_tasks();
  text.labels = 16;
  text.per_step[0].loss = 6 * std::numbers::ln2;
  text.per_step[1].loss = 3 * std::numbers::ln2;
  const auto bits = text.to_json();
  CHECK(bits["bits_per_character_before"].get<double>() == Approx(6));
  CHECK(bits["bits_per_character"].get<double>() == Approx(3));

  auto policy = four_tasks();
  policy.acts = true;
  const auto json = policy.to_json();
  CHECK(json["return"] == -0.625);
  CHECK(json["per_step"][0]["return"] == -2);
  CHECK(json["per_step"][1]["return"] == -0.625);
  CHECK(json["per_step"][1]["return_ci95"].get<double>() ==
        Approx(policy.loss_ci95()));
}

TEST_CASE("what a result has not is null", "[evaluation]") {
  auto regression = four_tasks();
  for (auto& step : regression.per_step) step.accuracy = NAN;
  regression.ece = NAN;
  const auto json = regression.to_json();
  CHECK(json["accuracy"].is_null());
  CHECK(json["ece"].is_null());
  CHECK(json["per_step"][0]["accuracy"].is_null());
  CHECK(json["loss"] == 0.625);
}
