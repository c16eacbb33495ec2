#include <fstream>

#include <ATen/ATen.h>

#include "protean/experiment/stored_run.h"
#include "protean/run/checkpoint.h"

#include "support/catch.h"
#include "support/run_world.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

Config sinusoid() {
  Config config;
  config.data.source = "sinusoid";
  config.model.name = "mlp";
  return config;
}

auto initial_on_two_ranks(const Config& config) {
  return run_ranks(2, [&](World& world) {
    return open_experiment(config, *world.control).initial.theta;
  });
}

}  // namespace

TEST_CASE("an experiment holds what its training starts from, on every rank",
          "[experiment]") {
  auto config = sinusoid();
  config.run.seed = 3;
  const auto e = make_experiment(config);
  const auto expected = initial_values(*e.learner, 3).theta;
  REQUIRE(expected.abs().max().item<double>() > 0);
  const auto own = initial_on_two_ranks(config);
  REQUIRE(own.ok());
  for (const auto& theta : own.value) CHECK(at::equal(*theta, expected));

  TempDir run;
  const auto& spaces = e.learner->spaces();
  CheckpointState state;
  state.theta_space = spaces.theta;
  state.state_space = spaces.state;
  state.theta.assign(static_cast<size_t>(spaces.theta.size()), 0.5f);
  state.state.resize(static_cast<size_t>(spaces.state.size()));
  save_checkpoint(state, run.path() / "checkpoints");
  config.model.init_from = run.path().string();
  const auto another = initial_on_two_ranks(config);
  REQUIRE(another.ok());
  for (const auto& theta : another.value)
    CHECK(theta->eq(0.5).all().item<bool>());
}

TEST_CASE(
    "an experiment for training knows its schedule, and refuses one that "
    "cannot be",
    "[experiment]") {
  const auto open = [](const Config& config, OpenFor purpose) {
    return run_ranks(1, [&](World& world) {
      return open_experiment(config, *world.control, purpose).initial.theta;
    });
  };
  auto config = sinusoid();
  config.task.mix_to = "real=0";
  config.task.mix_steps = 4;
  const auto bad = open(config, OpenFor::training);
  CHECK(bad.exit_code == 2);
  CHECK_THAT(bad.error[0],
             contains("task.mix_to = \"real=0\"; expected a weight above 0"));
  // Nothing that is not trained needs one.
  CHECK(open(config, OpenFor::use).ok());
}

TEST_CASE("a run is opened by the configuration that it stored",
          "[experiment]") {
  const auto load = [](const std::string& dir) {
    return run_ranks(2, [&](World& world) {
      return load_run(dir, "generator.from =", *world.control).step;
    });
  };
  TempDir run;
  const auto none = load(run.path().string());
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.error[1], contains("generator.from = " + run.path().string() +
                                     ": no config.ini there; expected a run "
                                     "directory"));
  std::ofstream(run.path() / "config.ini")
      << "[data]\nsource = sinusoid\n[model]\nname = mlp\nhidden = 5,6\n";
  const auto empty = load(run.path().string());
  CHECK(empty.exit_code == 2);
  CHECK_THAT(empty.error[0], contains(": no checkpoint there"));
  auto config = sinusoid();
  config.model.hidden = "5,6";
  const auto e = make_experiment(config);
  const auto& spaces = e.learner->spaces();
  CheckpointState state;
  state.step = 8;
  state.theta_space = spaces.theta;
  state.state_space = spaces.state;
  state.theta.resize(static_cast<size_t>(spaces.theta.size()));
  state.state.resize(static_cast<size_t>(spaces.state.size()));
  save_checkpoint(state, run.path() / "checkpoints");
  const auto found = load(run.path().string());
  REQUIRE(found.ok());
  CHECK(*found.value[1] == 8);
}
