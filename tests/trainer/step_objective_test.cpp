#include "protean/trainer/step_objective.h"

#include <ATen/ATen.h>

#include "protean/generative/gan_loss_names.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"
#include "support/run_world.h"
#include "trainer/step_log.h"

using namespace protean;

namespace {

Config small_gan(const std::string& loss) {
  Config config;
  config.learner.name = "metagan";
  config.learner.inner_steps = 0;
  config.generator.loss = loss;
  config.generator.filters = 2;
  config.generator.features = config.generator.hidden = 8;
  config.generator.code = 4;
  config.generator.latent = 2;
  config.task.ways = 1;
  config.task.shots = 3;
  config.task.queries = 2;
  config.task.meta_batch = 4;
  config.data.prefetch = 0;
  return config;
}

// Of a step's tasks, by the learner itself: their mean loss and what
// they make of the meta-state, the mean.
struct Mean {
  double loss = 0;
  at::Tensor state;
};
Mean mean_of(const Experiment& e, const MetaView& meta, int which,
             uint32_t step = 0) {
  std::vector<TaskSpec> specs;
  const auto& source = e.tasks.of(Stream::train);
  for (uint32_t i = 0; i < 4; ++i)
    specs.push_back(
        source.describe(e.config.run.seed, {Stream::train, step, i}, {}));
  const auto& spaces = e.learner->spaces();
  const MetaView sums{at::zeros({spaces.theta.size()}, at::kFloat),
                      at::zeros({spaces.state.size()}, at::kFloat)};
  const auto losses =
      e.learner->gradient_of(which, stack_tasks(source, specs), meta, sums);
  return {losses.loss.mean().item<double>(), sums.state / 4};
}

}  // namespace

TEST_CASE("both losses of a GAN are told, each by its name", "[trainer]") {
  const std::string loss = GENERATE("hinge", "wasserstein");
  INFO(loss);
  const auto told = run_ranks(2, [&](World& world) {
    const auto e = open_experiment(small_gan(loss), *world.control);
    StepObjective objective(
        {e, world.data_plane(), reduction_options(e.config), at::kCPU, 0, 1},
        [] { return RankReport(); });
    objective.begin_step(0, e.initial);
    objective.gradient(0);
    objective.gradient(1);
    TrainingState state;
    state.meta = e.initial;
    state.outer = e.learner->outer(e.config.optim);
    StepLog log(e);
    auto line = log.take(state, objective.totals(), objective.losses(), 0);
    line["expected"] = {mean_of(e, e.initial, 0).loss,
                        mean_of(e, e.initial, 1).loss};
    return line;
  });
  REQUIRE(told.ok());
  const auto& line = *told.value[0];
  const double generator = line["expected"][0],
               discriminator = line["expected"][1];
  CHECK(std::abs(generator - discriminator) > 1);
  CHECK(line[kGanLossNames[0]].get<double>() ==
        Approx(generator).epsilon(1e-5));
  CHECK(line[kGanLossNames[1]].get<double>() ==
        Approx(discriminator).epsilon(1e-5));
  CHECK(line["loss"] == line["generator_loss"]);
}

TEST_CASE("a step counter in the meta-state costs second moments no digit",
          "[trainer]") {
  Config config;
  config.learner.name = "reptile";
  config.learner.inner_optimizer = "adam";
  config.learner.inner_steps = 2;
  config.data.source = "sinusoid";
  config.data.prefetch = 0;
  config.model.name = "mlp";
  config.model.hidden = "6";
  config.task.meta_batch = 4;
  // The largest error of a value, by itself, beside the counter's.
  const auto errors = run_ranks(2, [&](World& world) {
    const auto e = open_experiment(config, *world.control);
    const auto& parts = e.learner->spaces().state.parameters();
    const auto& updates = parts.back();
    const auto& last_bias = parts[parts.size() - 2];
    // From nothing the last bias alone has a slope; the others' moments decay.
    const MetaView meta{at::zeros_like(e.initial.theta),
                        at::full_like(e.initial.state, 1e-13)};
    meta.state[last_bias.offset] = 0.01;
    meta.state[updates.offset] = 5000;
    StepObjective objective(
        {e, world.data_plane(), reduction_options(e.config), at::kCPU, 0, 2},
        [] { return RankReport(); });
    // The sum's scale is that of the step before.
    for (int i = 0; i < 2; ++i) {
      objective.begin_step(i, meta);
      objective.gradient(0);
    }
    const auto expected = mean_of(e, meta, 0, 1).state;
    const auto apart =
        (objective.totals().state - expected).abs() / expected.abs();
    return std::pair(apart.narrow(0, 0, updates.offset).max().item<double>(),
                     apart[updates.offset].item<double>());
  });
  INFO(errors.error[0]);
  REQUIRE(errors.ok());
  CHECK(errors.value[1]->first < 1e-5);
  CHECK(errors.value[1]->second == 0);
}
