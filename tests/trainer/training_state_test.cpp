#include "protean/trainer/training_state.h"

#include <cmath>

#include <ATen/ATen.h>

#include "support/catch.h"
#include "support/run_world.h"

using namespace protean;

namespace {

Experiment sinusoid() {
  Config config;
  config.data.source = "sinusoid";
  config.model.name = "mlp";
  auto e = make_experiment(config);
  e.initial = initial_values(*e.learner, 1);
  return e;
}

// Every field another than it begins with.
void fill(TrainingState& s) {
  s.step = 12;
  s.meta.theta.fill_(0.5);
  for (auto& buffer : s.outer->state().buffers) buffer.fill_(0.25);
  s.outer->state().updates = 11;
  s.exponents = {3, -40, 7};
  s.tasks_seen = 300;
  s.best = {{0.1 + 0.2, 9}, {-HUGE_VAL, 3}};
  s.validations_without_gain = 2;
  s.costs = {5, {{18446744073709551615u, 0.125}, {7, 1e-9}}};
  s.levels_raised = {4, 8};
  s.setbacks = 1;
  s.spent = {10, 1.5, 0.25, 0.125};
  s.validation = {{"accuracy", 0.75}};
}

void check_filled(const TrainingState& s) {
  CHECK(s.step == 12);
  CHECK(s.meta.theta.eq(0.5).all().item<bool>());
  for (const auto& buffer : s.outer->state().buffers)
    CHECK(buffer.eq(0.25).all().item<bool>());
  CHECK(s.outer->state().updates == 11);
  CHECK(s.exponents == StepReducer::Exponents{3, -40, 7});
  CHECK(s.tasks_seen == 300);
  REQUIRE(s.best.size() == 2);
  CHECK(s.best[0].score == 0.1 + 0.2);
  CHECK(s.best[0].step == 9);
  CHECK(s.best[1].score == -HUGE_VAL);
  CHECK(s.validations_without_gain == 2);
  CHECK(s.costs == CostTable{5, {{18446744073709551615u, 0.125}, {7, 1e-9}}});
  CHECK(s.levels_raised == std::vector<int64_t>{4, 8});
  CHECK(s.setbacks == 1);
  CHECK(s.spent.steps == 10);
  CHECK(s.spent.wall_s == 1.5);
  CHECK(s.spent.validate_s == 0.25);
  CHECK(s.spent.store_s == 0.125);
  CHECK(s.validation == nlohmann::json{{"accuracy", 0.75}});
}

}  // namespace

TEST_CASE("a checkpoint brings back every field of a training state",
          "[trainer]") {
  const auto e = sinusoid();
  auto state = initial_state(e, at::kCPU);
  fill(state);
  auto stored = to_checkpoint(state, e.learner->spaces(), {{"keys", 1}});
  CHECK(stored.best_steps == std::vector<int64_t>{9, 3});
  CHECK(stored.extra.at("identity") == nlohmann::json{{"keys", 1}});
  // As it comes back from a disk.
  stored.extra = nlohmann::json::parse(stored.extra.dump());
  auto again = initial_state(e, at::kCPU);
  from_checkpoint(stored, e.learner->spaces(), again);
  check_filled(again);
}

TEST_CASE("what an older checkpoint lacks has its first value", "[trainer]") {
  const auto e = sinusoid();
  auto state = initial_state(e, at::kCPU);
  fill(state);
  auto stored = to_checkpoint(state, e.learner->spaces(), {});
  for (const char* newer :
       {"best", "costs", "levels_raised", "setbacks", "spent", "validation"})
    stored.extra.erase(newer);
  from_checkpoint(stored, e.learner->spaces(), state);
  CHECK(state.step == 12);
  CHECK(state.tasks_seen == 300);
  CHECK(state.best.empty());
  CHECK(state.costs == CostTable());
  CHECK(state.levels_raised.empty());
  CHECK(state.setbacks == 0);
  CHECK(state.spent.steps == 0);
  CHECK(state.spent.wall_s == 0);
  CHECK(state.validation.is_null());
}

TEST_CASE("rank 0's training state becomes everybody's", "[trainer]") {
  const auto e = sinusoid();
  const auto ranks = run_ranks(3, [&](World& world) {
    auto state = initial_state(e, at::kCPU);
    if (world.control->rank() == 0) fill(state);
    broadcast(state, *world.control);
    return std::make_shared<TrainingState>(std::move(state));
  });
  REQUIRE(ranks.ok());
  for (const auto& state : ranks.value) check_filled(**state);
}
