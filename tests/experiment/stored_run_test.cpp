#include "protean/experiment/stored_run.h"

#include <cmath>

#include "protean/run/checkpoint.h"

#include "support/catch.h"
#include "support/run_world.h"
#include "support/temp_dir.h"

using namespace protean;

TEST_CASE("a run that has diverged is not taken for one that has not",
          "[experiment]") {
  Config config;
  config.data.source = "sinusoid";
  config.model.name = "mlp";
  const auto e = make_experiment(config);
  TempDir run;
  const auto load = [&](double value) {
    const auto& spaces = e.learner->spaces();
    CheckpointState state;
    state.step = 7;
    state.theta_space = spaces.theta;
    state.state_space = spaces.state;
    state.theta.resize(static_cast<size_t>(spaces.theta.size()));
    state.theta[3] = static_cast<float>(value);
    state.state.resize(static_cast<size_t>(spaces.state.size()));
    save_checkpoint(state, run.path() / "checkpoints");
    return run_ranks(2, [&](World& world) {
      return load_run(config, run.path().string(), "--run", *world.control)
          .meta.theta[3]
          .item<double>();
    });
  };
  const auto good = load(0.5);
  REQUIRE(good.ok());
  CHECK(good.value[1] == 0.5);
  for (const double value : {std::nan(""), HUGE_VAL}) {
    const auto bad = load(value);
    CHECK(bad.exit_code == 1);
    CHECK_THAT(bad.error[0], contains(": parameters of step 7 are not finite"));
  }
}
