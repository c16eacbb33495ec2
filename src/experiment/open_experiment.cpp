#include <ATen/ATen.h>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/experiment/curriculum.h"
#include "protean/experiment/initial_values.h"
#include "protean/experiment/stored_run.h"
#include "protean/generative/generated_tasks.h"
#include "protean/models/threads.h"

#include "experiment/training_tasks.h"

namespace protean {
namespace {

// Whose rate is 0 would be stored again and again as it is.
void check_goes_on_learning(const StoredRun& run) {
  const auto& o = run.experiment.config.optim;
  const int64_t end = run.experiment.config.run.steps;
  if ((o.schedule == "cosine" || o.schedule == "linear") && o.lr_end == 0 &&
      run.step >= end)
    throw ConfigError(concat(
        "generator.refresh trains generator.from = ", run.dir,
        " further, but its optim.schedule = ", o.schedule, " has ended, after ",
        end,
        " steps, at optim.lr_end = 0; expected a generator with optim.lr_end "
        "above 0, or one that was stopped before run.steps"));
}

std::shared_ptr<const FrozenGenerator> open_generator(const Experiment& e,
                                                      Communicator& comm) {
  const auto& o = e.config.generated;
  const bool trains = o.refresh > 0;
  const auto run = load_run(o.from, "generator.from =", comm,
                            trains ? OpenFor::training : OpenFor::prediction);
  std::shared_ptr<const FrozenGenerator> generator;
  agree(comm, [&] {
    check_same_ink("generator.from =", run, e);
    if (trains) check_goes_on_learning(run);
    generator = std::make_shared<FrozenGenerator>(FrozenGenerator{
        generative_learner(run.experiment, "generator.from = " + run.dir),
        run.meta, std::make_shared<const Experiment>(run.experiment)});
  });
  return generator;
}

// model.init_from, read by rank 0.
void start_from_another(Experiment& e, Communicator& comm) {
  const auto& space = e.learner->spaces().theta;
  auto& theta = e.initial.theta;
  on_root(comm, [&] {
    const auto copied = copy_initial_values(e.config.model, space, theta);
    log_info(concat("starting from ", copied, " of ", space.count(),
                    " parameters of ", e.config.model.init_from));
  });
  comm.broadcast(theta.data_ptr(), static_cast<size_t>(theta.nbytes()), 0);
}

}  // namespace

Experiment open_experiment(const Config& config, Communicator& comm,
                           OpenFor purpose) {
  const bool training = purpose == OpenFor::training;
  Experiment e;
  bool generated = false;
  agree(comm, [&] {
    e = make_experiment(config);
    generated =
        (purpose == OpenFor::evaluation || purpose == OpenFor::listed) &&
        adds_generated_shots(config);
    if (!training) return;
    e.tasks.of(Stream::train);  // throws when there is none
    if (config.eval.every > 0 && config.eval.every <= config.run.steps)
      e.tasks.of(Stream::validation);
    e.schedule = StreamSchedule(config);
    const Curriculum checked(config);
    generated = needs_generator(config);
  });
  if (generated) e.generator = open_generator(e, comm);
  // Tasks are made of codes before the first step.
  if (training) set_threads(config.run.threads);
  agree(comm, [&] {
    if (training) mix_training_tasks(e, e.generator.get());
    if (e.generator) add_generated_shots(e, e.generator.get());
    if (training) interpolate_training_tasks(e);
    e.initial = initial_values(*e.learner, config.run.seed);
  });
  if (training && !config.model.init_from.empty()) start_from_another(e, comm);
  return e;
}

}  // namespace protean
