#include "device/train_on.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "protean/core/settings.h"
#include "protean/experiment/experiment.h"
#include "protean/experiment/keys.h"
#include "protean/generative/generative_learner.h"
#include "protean/rl/policy_learner.h"
#include "protean/trainer/evaluate.h"
#include "protean/trainer/meta_step.h"

namespace protean {
namespace {

Changes base_of(const std::string& learner) {
  Changes values = {{"learner.name", learner}, {"task.meta_batch", "4"},
                    {"task.stack", "2"},       {"task.shots", "2"},
                    {"task.queries", "2"},     {"data.prefetch", "0"},
                    {"optim.name", "sgd"},     {"optim.lr", "0.01"},
                    {"run.seed", "3"}};
  const auto add = [&](const Changes& more) {
    values.insert(values.end(), more.begin(), more.end());
  };
  if (is_policy_learner(learner))
    add({{"data.source", "point"},
         {"data.horizon", "5"},
         {"model.name", "mlp"},
         {"model.hidden", "8"}});
  else if (is_generative(learner))
    add({{"data.source", "omniglot"},
         {"task.ways", "1"},
         {"generator.features", "8"},
         {"generator.filters", "4"},
         {"generator.hidden", "8"},
         {"generator.latent", "3"}});
  else
    add({{"data.source", "omniglot"},
         {"task.ways", "3"},
         {"model.filters", "4"}});
  if (learner == "relation") add({{"model.pool_blocks", "2"}});
  if (learner == "metavae" || learner == "metagan")
    add({{"learner.inner_steps", "1"}, {"learner.inner_lr", "0.0001"}});
  if (learner == "cavia") add({{"model.context", "5"}});
  if (learner == "imaml") add({{"learner.proximal", "2"}});
  if (learner == "baseline") add({{"task.flat_batch", "16"}});
  return values;
}

std::vector<float> floats(const at::Tensor& t) {
  const auto host = t.to(at::kCPU).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
}

}  // namespace

Config small_config(const std::string& learner, const Changes& more) {
  Config config;
  Settings settings;
  fields(settings, config);
  auto values = base_of(learner);
  values.insert(values.end(), more.begin(), more.end());
  for (const auto& [key, value] : values) settings.at(key, "test").set(value);
  return config;
}

std::string difference(const Trained& a, const Trained& b, double tolerance) {
  std::ostringstream text;
  const auto compare = [&](const char* what, const auto& x, const auto& y) {
    double most = 0, largest = 0;
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (std::isnan(double{x[i]}) && std::isnan(double{y[i]})) continue;
      const double by = std::abs(double{x[i]} - y[i]);
      most = by > most || std::isnan(by) ? by : most;
      largest = std::max(largest, std::abs(double{x[i]}));
    }
    if (x.size() != y.size() || !(most <= tolerance * largest))
      text << what << " (" << x.size() << " and " << y.size() << ") differ by "
           << most << " of " << largest << "\n";
  };
  compare("losses", a.losses, b.losses);
  compare("state", a.state, b.state);
  compare("theta", a.theta, b.theta);
  for (size_t i = 0; i < a.optimiser.size(); ++i)
    compare("optimiser", a.optimiser[i], b.optimiser.at(i));
  compare("evaluation", a.evaluation, b.evaluation);
  return text.str();
}

Trained train_on(at::Device device, const Config& config, World& world,
                 int steps) {
  Trained out;
  auto& comm = *world.control;
  const auto e = open_experiment(config, comm);
  auto state = initial_state(e, device);
  StepObjective objective(
      {e, world.data_plane(), reduction_options(config), device, 0, steps},
      [&] {
        RankReport report;
        if (device.is_cpu()) report.hash = state.hash();
        return report;
      });
  for (int k = 0; k < steps; ++k) {
    pretend::clear_counts();
    meta_step(objective, state, {});
    out.step = pretend::counts();
    out.losses.push_back(objective.totals().loss);
  }
  pretend::clear_counts();
  const auto result =
      evaluate(e, comm, state.meta, stream_tasks(e, Stream::validation, 2));
  out.evaluating = pretend::counts();
  for (const auto& step : result.per_step)
    out.evaluation.insert(out.evaluation.end(), step.task_loss.begin(),
                          step.task_loss.end());
  out.theta = floats(state.meta.theta);
  out.state = floats(state.meta.state);
  for (const auto& buffer : state.outer->state().buffers)
    out.optimiser.push_back(floats(buffer));
  return out;
}

}  // namespace protean
