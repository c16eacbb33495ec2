#include "protean/trainer/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/coordinator/station.h"
#include "protean/core/clock.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/log.h"
#include "protean/core/signals.h"
#include "protean/core/trace.h"
#include "protean/experiment/curriculum.h"
#include "protean/experiment/device.h"
#include "protean/experiment/keys.h"
#include "protean/models/threads.h"
#include "protean/trainer/evaluate.h"
#include "protean/trainer/meta_step.h"

#include "trainer/agree_on_run.h"
#include "trainer/crowding.h"
#include "trainer/generator_service.h"
#include "trainer/identity.h"
#include "trainer/per_rank.h"
#include "trainer/run_files.h"
#include "trainer/run_logs.h"
#include "trainer/setbacks.h"
#include "trainer/step_log.h"
#include "trainer/summary.h"
#include "trainer/validation.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

// Bits of RankReport::stop: any rank may set them, all ranks see them at the
// same step.
constexpr int64_t kStopBySignal = 1;
constexpr int64_t kStopByTime = 2;
constexpr int64_t kCheckpointNow = 4;

// One rank's part in one run. The loop is run(); each step of it is a member.
class Trainer {
 public:
  Trainer(const Experiment& experiment, World& world, const RunContext& context,
          const Setbacks& setbacks);
  TrainOutcome run();

 private:
  bool is_root() const { return comm_.rank() == 0; }
  bool open();
  void open_objective();
  RankReport report() const;
  void or_diverged(const std::function<void()>& body) const;
  void step();
  void log_step();
  void write_line();
  void validate();
  void collect();
  bool save();
  bool wants_to_stop() const;
  TrainOutcome finish();
  bool store_last();
  void say_the_end(bool stored) const;
  bool stopped_by_signal() const;
  void count_time();
  nlohmann::json summary() const;

  const Experiment& e_;
  const Config& config_;
  World& world_;
  Communicator& comm_;  // control: small host buffers
  RunContext context_;
  Setbacks setbacks_;  // so far
  ReductionOptions reduction_;
  at::Device device_;
  nlohmann::json identity_;
  TrainingState state_;
  TrainingState::Spent before_;  // this call
  Curriculum curriculum_;
  StepLog log_;
  std::unique_ptr<RunLogs> logs_;
  std::unique_ptr<GeneratorService> generator_;  // null: frozen, or none
  std::unique_ptr<Station> station_;
  std::unique_ptr<StepObjective> objective_;  // after the station it reports to
  std::unique_ptr<RunFiles> files_;           // rank 0
  int64_t resumed_from_ = -1;
  int64_t first_step_ = 0;
  Clock::time_point start_ = Clock::now();
  int64_t stop_bits_ = 0;
  bool target_reached_ = false;
  bool among_best_ = false;  // the last validation; not stored yet
};

TrainOutcome Trainer::run() {
  if (!open())
    return {kExitDone, is_root() ? files_->stored_summary() : nlohmann::json()};
  while (!wants_to_stop()) {
    step();
    log_step();
    if (generator_) generator_->step_done(state_.step);
    if (config_.eval.every > 0 && state_.step % config_.eval.every == 0)
      validate();
    if ((stop_bits_ & kCheckpointNow) || among_best_) {
      among_best_ = false;
      collect();
      save();
    }
  }
  return finish();
}

Trainer::Trainer(const Experiment& experiment, World& world,
                 const RunContext& context, const Setbacks& setbacks)
    : e_(experiment),
      config_(experiment.config),
      world_(world),
      comm_(*world.control),
      context_(context),
      setbacks_(setbacks),
      reduction_(reduction_options(config_)),
      device_(context.device),
      identity_(run_identity(kept_values(config_),
                             {{"run.device", device_name(device_)}},
                             experiment.tasks.checksum)),
      curriculum_(config_),
      log_(experiment) {
  set_threads(config_.run.threads);
  warn_of_crowding(world_, config_.run.threads);
  agree_on_run(e_, context_.values, reduction_, device_, world_);
  arm_faults();
}

// Takes the run directory and, when there is something to go on from, its
// state. Nothing is created before everything else was checked. False: the run
// had ended already, and stays as it is.
bool Trainer::open() {
  state_ = initial_state(e_, device_);
  on_root(comm_, [this] {
    files_ =
        std::make_unique<RunFiles>(e_, context_, setbacks_, identity_, state_);
    state_.setbacks = std::max(state_.setbacks, setbacks_.count);
    resumed_from_ = files_->resumed_from();
  });
  int64_t goes_on = !files_ || !files_->complete();
  comm_.broadcast(&goes_on, sizeof goes_on, 0);
  if (is_root() && !goes_on)
    log_info(concat("nothing to do: ", config_.run.dir, " has ended after ",
                    state_.step, " steps, of run.steps = ", config_.run.steps));
  if (!goes_on) return false;
  logs_ = std::make_unique<RunLogs>(config_.run, comm_);
  if (resumed_from_ >= 0)  // for the log too
    log_info(concat("resuming from ", files_->resumed_folder(), ", step ",
                    state_.step));
  comm_.broadcast(&resumed_from_, sizeof resumed_from_, 0);
  broadcast(state_, comm_);
  setbacks_.count = state_.setbacks;
  first_step_ = state_.step;
  before_ = state_.spent;
  curriculum_.restore(state_.levels_raised);
  open_objective();
  start_ = Clock::now();
  log_.restart();
  return true;
}

void Trainer::open_objective() {
  station_ =
      std::make_unique<Station>(world_, config_.coordinator, state_.costs);
  if (config_.generated.refresh > 0)
    generator_ =
        std::make_unique<GeneratorService>(e_, world_, device_, state_.step);
  objective_ = std::make_unique<StepObjective>(
      StepObjective::Setting{e_, world_.data_plane(), reduction_, device_,
                             state_.step, config_.run.steps},
      [this] { return report(); }, station_.get(),
      [this](int64_t step) {
        auto stream = e_.schedule.at(step);
        stream.held_back = curriculum_.held_back(step);
        return stream;
      });
  auto& reducer = objective_->reducer();
  if (state_.exponents) reducer.set_exponents(*state_.exponents);
  if (reducer.residual().defined())
    give_out(state_.residuals, reducer.residual(), comm_);
  else if (!state_.residuals.empty())
    log_warning(
        "comm.wire = fp32: what the run's 16-bit gradients had yet to send is "
        "dropped");
  if (config_.shard_optim)
    shard_optimiser(*state_.outer, state_.meta.theta, e_.learner->name(),
                    world_.data_plane());
}

RankReport Trainer::report() const {
  RankReport r;
  if (device_.is_cpu()) r.hash = state_.hash();
  if (stop_requested()) r.stop |= kStopBySignal;
  if (is_root()) {
    if (config_.run.max_time > 0 &&
        seconds_since(start_) >= config_.run.max_time)
      r.stop |= kStopByTime;
    if (files_->writer().due(state_.step + 1)) r.stop |= kCheckpointNow;
  }
  return r;
}

// NumericError of body, which every rank has, ends this attempt.
void Trainer::or_diverged(const std::function<void()>& body) const {
  try {
    body();
  } catch (const NumericError& e) {
    throw Diverged{
        AgreedError(e.what(), e.exit_code()),
        setbacks_.with_another(state_.step, first_step_, resumed_from_ >= 0)};
  }
}

void Trainer::step() {
  const TraceSpan span("step", concat("step ", state_.step));
  comm_.set_activity(concat("step ", state_.step));
  or_diverged([this] {
    meta_step(*objective_, state_, {config_.run.steps, setbacks_.rate()});
  });
  log_.add(objective_->times());
  stop_bits_ = 0;
  std::vector<float> busy;
  for (const auto& rank : objective_->totals().ranks) {
    stop_bits_ |= rank.stop;
    busy.push_back(rank.busy_s);
  }
  station_->step_done(busy);
  fault_point("trainer.step");
}

void Trainer::log_step() {
  if (!is_root()) return;
  const auto& totals = objective_->totals();
  files_->progress().update(state_.step, objective_->losses().front(),
                            log_.accuracy(totals), config_.task.meta_batch);
  if (state_.step % config_.run.log_every == 0) write_line();
}

void Trainer::write_line() {
  const auto line =
      log_.take(state_, objective_->totals(), objective_->losses(),
                curriculum_.held_back(state_.step - 1));
  files_->record(line);
  logs_->metrics(line);
}

// On the same tasks every time; the stop by target or patience follows from the
// gathered result, so every rank decides alike.
void Trainer::validate() {
  const TraceSpan span("step", "validate");
  station_->enter(RankPhase::validating, state_.step);
  const auto start = Clock::now();
  const auto result =
      evaluate(e_, comm_, state_.meta,
               stream_tasks(e_, Stream::validation, config_.eval.tasks));
  among_best_ = rank_among_best(state_, validation_score(result),
                                config_.checkpoint.keep_best);
  target_reached_ = reaches_target(result, config_.eval.target_accuracy);
  curriculum_.validated(state_.step, result.last().accuracy);
  state_.validation = result.to_json();
  const double seconds = seconds_since(start);
  state_.spent.validate_s += seconds;
  if (!is_root()) return;
  files_->record(validation_line(state_.step, result, seconds));
  files_->progress().note(validation_note(state_.step, result));
}

// What checkpoints keep and no rank holds alone. Every rank knows when.
void Trainer::collect() {
  if (!device_.is_cpu()) or_diverged([this] { check_finite(state_); });
  state_.levels_raised = curriculum_.raised();
  auto& residual = objective_->reducer().residual();
  if (residual.defined()) state_.residuals = gather_buffers(residual, comm_);
  if (!config_.shard_optim) return;
  state_.whole_buffers.clear();
  for (const auto& buffer : state_.outer->state().buffers) {
    auto whole =
        whole_of(buffer, state_.meta.theta.numel(), world_.data_plane());
    if (is_root()) state_.whole_buffers.push_back(whole);
  }
}

// False: what the checkpoint would need is not on disk.
bool Trainer::save() {
  if (!is_root()) return true;
  if (!files_->folder().lock_held())
    throw Error(config_.run.dir +
                ": another process has taken over this run directory");
  const auto start = Clock::now();
  station_->enter(RankPhase::storing, state_.step);
  if (generator_ && !generator_->store()) return false;
  state_.costs = *station_->costs().at(state_.step);
  count_time();
  files_->writer().submit(
      to_checkpoint(state_, e_.learner->spaces(), identity_));
  state_.spent.store_s += seconds_since(start);
  return true;
}

void Trainer::count_time() {
  state_.spent.steps = before_.steps + state_.step - first_step_;
  state_.spent.wall_s = before_.wall_s + seconds_since(start_);
}

bool Trainer::wants_to_stop() const {
  return state_.step >= config_.run.steps || target_reached_ ||
         (stop_bits_ & (kStopBySignal | kStopByTime)) ||
         (config_.eval.patience > 0 &&
          state_.validations_without_gain >= config_.eval.patience);
}

bool Trainer::stopped_by_signal() const {
  return (stop_bits_ & kStopBySignal) && state_.step < config_.run.steps &&
         !target_reached_;
}

TrainOutcome Trainer::finish() {
  station_->enter(RankPhase::ending, state_.step);
  count_time();
  TrainOutcome outcome;
  collect();
  int64_t stored = 1;
  if (is_root()) {
    stored = store_last();
    outcome.summary = summary();
    files_->folder().write_summary(outcome.summary);
    if (stored && !stopped_by_signal()) files_->folder().mark_done(state_.step);
    say_the_end(stored);
  }
  // Nobody leaves before the last checkpoint is decided.
  comm_.broadcast(&stored, sizeof stored, 0);
  logs_->write_trace();
  outcome.exit_code = !stored               ? kExitFailed
                      : stopped_by_signal() ? kExitStopped
                                            : kExitDone;
  return outcome;
}

bool Trainer::store_last() {
  if (!log_.empty()) write_line();
  files_->progress().finish();
  auto& writer = files_->writer();
  bool stored = true;
  if (writer.status().step != state_.step &&
      (state_.step != resumed_from_ || context_.resume != "auto"))
    stored = save();
  const auto status = writer.finish();
  if (!status.stored)
    log_error(concat("the last checkpoint (step ", state_.step,
                     ") is not stored: ", status.error));
  return stored && status.stored;
}

void Trainer::say_the_end(bool stored) const {
  const double wall_s = state_.spent.wall_s - before_.wall_s;
  const double validate_s = state_.spent.validate_s - before_.validate_s;
  log_info(concat("step ", state_.step, ": trained ", state_.step - first_step_,
                  " steps in ", std::round(wall_s * 10) / 10, " s, ",
                  std::round(1000 * validate_s / std::max(wall_s, 1e-9)) / 10,
                  " % of it validation"));
  if (stopped_by_signal())
    log_info(concat("stopped by request at step ", state_.step,
                    stored ? "; resume with --resume auto" : ""));
}

nlohmann::json Trainer::summary() const {
  auto s = run_summary(e_, state_);
  s["resumed_from"] =
      resumed_from_ < 0 ? nlohmann::json() : nlohmann::json(resumed_from_);
  s["ranks"] = comm_.size();
  s["backend"] = world_.data_plane().backend();
  s["stacks_per_step"] = objective_->stacks_per_step();
  s["tasks_by_rank"] = objective_->tasks_by_rank();
  s["coordinator_cpu_share"] = station_->cpu_seconds() / process_cpu_seconds();
  s["scale_repeats"] = objective_->reducer().repeats();
  s["provenance"] = context_.provenance;
  return s;
}

}  // namespace

TrainOutcome train(const Experiment& experiment, World& world,
                   const RunContext& context) {
  return with_retries(
      experiment.config.optim.retries, world.control->rank() == 0,
      [&](const Setbacks& setbacks) {
        return Trainer(experiment, world, context, setbacks).run();
      });
}

}  // namespace protean
