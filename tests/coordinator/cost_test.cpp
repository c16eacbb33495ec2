#include <algorithm>
#include <cmath>

#include "protean/coordinator/cost_model.h"
#include "protean/coordinator/cost_schedule.h"
#include "protean/coordinator/planner.h"
#include "protean/core/error.h"
#include "protean/core/philox.h"

#include "support/catch.h"

using namespace protean;

namespace {

constexpr uint64_t kSmall = 11, kLarge = 22;

}  // namespace

TEST_CASE("the cost model learns seconds per example of each shape",
          "[coordinator]") {
  CostModel model;
  CHECK(model.table().version == 0);
  model.observe({kSmall, 100, 1});
  model.observe({kLarge, 100, 5});
  const auto table = model.table();
  CHECK(table.version == 1);
  REQUIRE(table.entries.size() == 2);
  CHECK(table.entries[0].seconds_per_cost == Approx(0.01));
  CHECK(table.entries[1].seconds_per_cost == Approx(0.05));

  // Small changes do not travel, large ones do, and old values fade.
  model.observe({kSmall, 100, 1.1});
  CHECK(model.table().version == 1);
  for (int i = 0; i < 200; ++i) model.observe({kSmall, 100, 3});
  CHECK(model.table().version > 1);
  CHECK(model.table().entries[0].seconds_per_cost == Approx(0.03).epsilon(0.1));

  const auto before = model.table();
  model.observe({kSmall, 0, 1});
  model.observe({kSmall, 100, NAN});
  model.observe({kSmall, -1, 1});
  CHECK(model.table() == before);
}

TEST_CASE("a stored table is where the model goes on", "[coordinator]") {
  const CostTable stored{7, {{kSmall, 0.02}}};
  CostModel model(stored);
  CHECK(model.table() == stored);
  model.observe({kLarge, 10, 1});
  CHECK(model.table().version == 8);
}

TEST_CASE("predictions: known shapes by their ratio, others by the mean",
          "[coordinator]") {
  std::vector<StackPlan> stacks(3);
  stacks[0].shape_key = kSmall;
  stacks[1].shape_key = kLarge;
  stacks[2].shape_key = 33;
  for (auto& s : stacks) s.cost = 10;
  auto plain = stacks;
  predict_costs({}, plain);
  CHECK(plain == stacks);
  predict_costs({1, {{kSmall, 0.1}, {kLarge, 0.3}}}, stacks);
  CHECK(stacks[0].cost == Approx(1));
  CHECK(stacks[1].cost == Approx(3));
  CHECK(stacks[2].cost == Approx(2));
}

// 256 stacks whose true cost is log-uniform in 1 ... 50 and says nothing of
// itself in the static cost: 64 shapes, each with a ratio of its own.
TEST_CASE("measured costs balance unequal stacks over ranks", "[coordinator]") {
  constexpr int kRanks = 4, kShapes = 64;
  const auto ratio = [](uint64_t shape) {
    const double u = Draws(5, {Stream::train, 0, static_cast<uint32_t>(shape)},
                           Purpose::minibatch)
                         .uniform();
    return std::pow(50.0, u);
  };
  const auto imbalance = [&](const std::vector<StackPlan>& stacks) {
    std::vector<double> load(kRanks, 0);
    double all = 0;
    for (const auto& s : stacks) {
      load[s.owner] += ratio(s.shape_key);
      all += ratio(s.shape_key);
    }
    return *std::max_element(load.begin(), load.end()) * kRanks / all;
  };
  std::vector<StackPlan> stacks(256);
  for (size_t i = 0; i < stacks.size(); ++i) {
    stacks[i].index = {static_cast<uint32_t>(i)};
    stacks[i].shape_key = (i * 37) % kShapes;
    stacks[i].cost = 1;
  }
  CostModel model;
  for (const auto& s : stacks)
    model.observe({s.shape_key, s.cost, ratio(s.shape_key) * 1e-3});
  auto blind = stacks;
  choose_owners(blind, kRanks);
  predict_costs(model.table(), stacks);
  choose_owners(stacks, kRanks);
  CAPTURE(imbalance(blind));
  CHECK(imbalance(stacks) < 1.02);
  CHECK(imbalance(stacks) < imbalance(blind));
}

TEST_CASE("a dedicated coordinator owns nothing", "[coordinator]") {
  std::vector<StackPlan> stacks(7);
  for (auto& s : stacks) s.cost = 1;
  choose_owners(stacks, 3, 1);
  for (const auto& s : stacks) CHECK(s.owner >= 1);
}

TEST_CASE("a step's table is the one decided for it", "[coordinator]") {
  CostSchedule schedule(CostTable{4, {}});
  CHECK(schedule.at(0)->version == 4);
  schedule.add({5, {{1, 1.0}}});
  schedule.add({6, {{1, 2.0}}});
  CHECK(schedule.newest() == 6);
  CHECK(schedule.at(100)->version == 4);
  schedule.decide(5, 10);
  schedule.decide(5, 11);
  schedule.decide(6, 12);
  CHECK(schedule.at(9)->version == 4);
  CHECK(schedule.at(10)->version == 5);
  CHECK(schedule.at(11)->version == 5);
  CHECK(schedule.at(12)->version == 6);
  CHECK_THROWS_AS(schedule.decide(9, 13), Error);
  // Old steps are forgotten, the present is not.
  for (uint64_t v = 7; v < 300; ++v) {
    schedule.add({v, {}});
    schedule.decide(v, static_cast<int64_t>(v) * 10);
  }
  CHECK(schedule.at(2990)->version == 299);
  CHECK(schedule.at(2989)->version == 298);
}
