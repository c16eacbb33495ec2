#include "protean/trainer/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <optional>

#include <ATen/Parallel.h>

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
#include "protean/experiment/initial_values.h"
#include "protean/experiment/keys.h"
#include "protean/experiment/stream_schedule.h"
#include "protean/run/metrics_log.h"
#include "protean/run/progress.h"
#include "protean/run/provenance.h"
#include "protean/run/run_directory.h"
#include "protean/trainer/evaluate.h"
#include "protean/trainer/step_objective.h"
#include "protean/trainer/training_state.h"

#include "trainer/generator_service.h"
#include "trainer/per_rank.h"
#include "trainer/run_logs.h"
#include "trainer/setbacks.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

// Of this process, all threads.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

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
  void open_run();
  void open_directory();
  void start_from_another();
  void shard();
  void restore(const std::string& run_dir);
  void restore_own();
  RankReport report() const;
  void step();
  Diverged setback(const std::string& what, int exit_code) const;
  void check_agreement(const StepTotals& totals) const;
  void log_step(bool force);
  // NaN for regression.
  double accuracy(const StepTotals& totals) const;
  void validate();
  void rank_among_best(double score);
  void collect();
  bool save();
  bool wants_to_stop() const;
  TrainOutcome finish();
  nlohmann::json summary(double wall_s) const;

  const Experiment& e_;
  const Config& config_;
  World& world_;
  Communicator& comm_;  // control: small host buffers
  RunContext context_;
  Setbacks setbacks_;  // so far
  ReductionOptions reduction_;
  at::Device device_;
  bool classes_;  // classification, not regression
  nlohmann::json identity_;
  TrainingState state_;
  std::unique_ptr<RunLogs> logs_;
  StreamSchedule stream_;
  Curriculum curriculum_;
  std::unique_ptr<GeneratorService> generator_;  // null: frozen, or none
  std::unique_ptr<Station> station_;
  std::unique_ptr<StepObjective> objective_;  // after the station it reports to
  int64_t resumed_from_ = -1;
  std::string resumed_folder_;  // rank 0: of the checkpoint
  int64_t first_step_ = 0;
  Clock::time_point start_ = Clock::now();

  // Rank 0 only.
  std::unique_ptr<RunDirectory> run_;
  std::unique_ptr<CheckpointWriter> writer_;
  std::unique_ptr<MetricsLog> metrics_;
  std::unique_ptr<Progress> progress_;

  // The last step's, and sums since the last logged step.
  StepTimes window_;
  double optimiser_s_ = 0;
  // Over the whole run: validating, and what training waited for checkpoints.
  double validate_s_ = 0;
  double store_s_ = 0;
  double tasks_per_s_ = NAN;
  int64_t window_steps_ = 0;
  Clock::time_point window_start_ = Clock::now();
  int64_t stop_bits_ = 0;
  bool target_reached_ = false;
  bool among_best_ = false;  // the last validation; not stored yet
  std::optional<EvalResult> validation_;
};

Trainer::Trainer(const Experiment& experiment, World& world,
                 const RunContext& context, const Setbacks& setbacks)
    : e_(experiment),
      config_(experiment.config),
      world_(world),
      comm_(*world.control),
      context_(context),
      setbacks_(setbacks),
      reduction_(reduction_options(config_)),
      device_(config_.run.device == "cuda"
                  ? at::Device(at::kCUDA, world.local_rank)
                  : at::Device(at::kCPU)),
      stream_(config_),
      curriculum_(config_) {
  const auto& source = e_.tasks.of(Stream::train);
  classes_ =
      source.shape(source.describe(0, {}, {})).target == TargetKind::classes;
  at::set_num_threads(config_.run.threads);
  identity_ =
      run_identity(kept_values(e_.config),
                   {{"run.threads", std::to_string(e_.config.run.threads)},
                    {"run.device", e_.config.run.device}},
                   e_.tasks.checksum);
  Facts facts;
  for (const auto& [key, value] : context_.values)
    if (key != "comm.ranks") facts.emplace_back(key, value);
  facts.emplace_back("data checksum", e_.tasks.checksum);
  facts.emplace_back("commit", build_commit());
  const auto numeric = numeric_provenance();
  for (const auto& [key, value] : numeric.items())
    facts.emplace_back(key, value.dump());
  preflight(comm_, facts);
  if (world_.data_plane().on_device() && device_.is_cpu())
    throw AgreedError(
        "comm.backend = nccl moves GPU memory, but run.device = cpu; expected "
        "run.device = cuda, or comm.backend = mpi");
  if (reduction_.wire != DType::f32 && e_.learner->losses() > 1)
    throw AgreedError(concat("comm.wire = ", config_.wire,
                             " keeps what is left of one gradient, and "
                             "learner.name = ",
                             e_.learner->name(), " has ", e_.learner->losses(),
                             "; expected comm.wire = fp32"));
  arm_faults();
}

// Takes the run directory and, when there is something to go on from, its
// state. Nothing is created before everything else was checked.
void Trainer::open_run() {
  state_ = initial_state(e_, device_);
  on_root(comm_, [this] {
    if (!config_.model.init_from.empty()) start_from_another();
    open_directory();
    state_.setbacks = std::max(state_.setbacks, setbacks_.count);
  });
  logs_ = std::make_unique<RunLogs>(config_.run, comm_);
  if (!resumed_folder_.empty())  // for the log too
    log_info(concat("resuming from ", resumed_folder_, ", step ", state_.step));
  comm_.broadcast(&resumed_from_, sizeof resumed_from_, 0);
  broadcast(state_, comm_);
  setbacks_.count = state_.setbacks;
  first_step_ = state_.step;
  curriculum_.restore(state_.levels_raised);
  station_ =
      std::make_unique<Station>(world_, config_.coordinator, state_.costs);
  if (config_.generated.refresh > 0)
    generator_ = std::make_unique<GeneratorService>(e_, stream_, world_,
                                                    device_, state_.step);
  objective_ = std::make_unique<StepObjective>(
      e_, world_.data_plane(), reduction_, device_, state_.step,
      [this] { return report(); }, station_.get(),
      [this](int64_t step) {
        auto stream = stream_.at(step);
        stream.held_back = curriculum_.held_back(step);
        return stream;
      });
  auto& reducer = objective_->reducer();
  if (state_.has_exponents) reducer.set_exponents(state_.exponents);
  if (reducer.residual().defined())
    give_out(state_.residuals, reducer.residual(), comm_);
  else if (!state_.residuals.empty())
    log_warning(
        "comm.wire = fp32: what the run's 16-bit gradients had yet to send is "
        "dropped");
  if (config_.shard_optim) shard();
}

void Trainer::start_from_another() {
  const int64_t copied = copy_initial_values(
      config_.model, e_.learner->spaces().theta, state_.meta.theta);
  log_info(concat("starting from ", copied, " of ",
                  e_.learner->spaces().theta.count(), " parameters of ",
                  config_.model.init_from));
}

// From here on this rank holds its slice of the optimiser's state.
void Trainer::shard() {
  auto& data = world_.data_plane();
  auto slice = slice_of(state_.meta.theta.numel(), data.rank(), data.size());
  slice.gather = [&data](at::Tensor& theta) { gather_slices(theta, data); };
  if (!state_.outer->shard(slice))
    throw AgreedError(
        concat("comm.shard_optim = true is not for learner.name = ",
               e_.learner->name(), "; expected false"));
}

void Trainer::open_directory() {
  const bool back = setbacks_.count > 0;
  const bool go_on = back || context_.resume == "auto";
  // Another run's state comes first: without it there is no new run. Of this
  // run's own, only the holder of its lock may be sure.
  if (!go_on && context_.resume != "none") restore(context_.resume);
  run_ = std::make_unique<RunDirectory>(config_.run.dir, go_on);
  if (setbacks_.dead_end >= 0)
    for (const auto& checkpoints :
         {run_->checkpoints_path(),
          fallback_checkpoints(config_.checkpoint, config_.run.dir)})
      drop_checkpoints_from(checkpoints, setbacks_.dead_end);
  if (go_on) restore_own();
  run_->clear_done();
  run_->write_config(context_.config_text);
  cut_back(run_->metrics_path(), state_.step);
  metrics_ = std::make_unique<MetricsLog>(run_->metrics_path());
  writer_ = std::make_unique<CheckpointWriter>(
      run_->checkpoints_path(),
      fallback_checkpoints(config_.checkpoint, config_.run.dir),
      config_.checkpoint);
  progress_ = std::make_unique<Progress>(config_.run.steps, config_.run.quiet);
}

void Trainer::restore(const std::string& run_dir) {
  const auto found =
      find_newest_valid(std::filesystem::path(run_dir) / "checkpoints",
                        fallback_checkpoints(config_.checkpoint, run_dir));
  if (!found) {
    if (context_.resume == run_dir)
      throw ConfigError("--resume " + run_dir +
                        ": no checkpoint there; expected the folder of a run");
    return;
  }
  check_identity(found->state.extra.at("identity"), identity_,
                 context_.defaults, reduction_.level == ReductionLevel::exact);
  from_checkpoint(found->state, e_.learner->spaces(), state_);
  resumed_from_ = state_.step;
  resumed_folder_ = found->folder.string();
}

// Of this run, or where it diverged before its first checkpoint, of what it was
// started from.
void Trainer::restore_own() {
  restore(config_.run.dir);
  if (resumed_from_ < 0 && context_.resume != "none" &&
      context_.resume != "auto")
    restore(context_.resume);
}

RankReport Trainer::report() const {
  RankReport r;
  r.hash = state_.hash();
  if (stop_requested()) r.stop |= kStopBySignal;
  if (is_root()) {
    if (config_.run.max_time > 0 &&
        seconds_since(start_) >= config_.run.max_time)
      r.stop |= kStopByTime;
    if (writer_->due(state_.step + 1)) r.stop |= kCheckpointNow;
  }
  return r;
}

void Trainer::check_agreement(const StepTotals& totals) const {
  for (size_t r = 1; r < totals.ranks.size(); ++r)
    if (totals.ranks[r].hash != totals.ranks[0].hash)
      throw AgreedError(
          concat("step ", state_.step, ": rank ", r,
                 " holds other parameters than rank 0 (hash ",
                 totals.ranks[r].hash, " and ", totals.ranks[0].hash,
                 "); expected the same bits"),
          kExitFailed);
}

Diverged Trainer::setback(const std::string& what, int exit_code) const {
  return {AgreedError(what, exit_code),
          setbacks_.with_another(state_.step, first_step_, resumed_from_ >= 0)};
}

void Trainer::step() {
  const TraceSpan span("step", concat("step ", state_.step));
  comm_.set_activity(concat("step ", state_.step));
  objective_->begin_step(state_.step, state_.meta);
  double before = seconds_since(start_);
  try {
    state_.outer->run(*objective_, state_.meta.theta,
                      {state_.step, config_.run.steps, setbacks_.rate()});
  } catch (const NumericError& e) {  // every rank has it
    throw setback(e.what(), e.exit_code());
  }
  // Before they can be stored: no later step would tell when this is the last.
  if (!at::isfinite(state_.meta.theta).all().item<bool>())
    throw setback(concat("step ", state_.step,
                         ": the outer step leaves parameters that are not "
                         "finite; expected finite values: lower optim.lr"),
                  kExitFailed);
  const auto& totals = objective_->totals();
  const auto& times = objective_->times();
  optimiser_s_ +=
      seconds_since(start_) - before - times.inner - times.outer - times.reduce;
  check_agreement(totals);
  if (state_.meta.state.numel()) state_.meta.state.copy_(totals.state);
  state_.exponents = objective_->reducer().exponents();
  state_.tasks_seen += totals.tasks;
  ++state_.step;
  stop_bits_ = 0;
  std::vector<float> busy;
  for (const auto& rank : totals.ranks) {
    stop_bits_ |= rank.stop;
    busy.push_back(rank.busy_s);
  }
  station_->step_done(busy);
  window_.data += times.data;
  window_.inner += times.inner;
  window_.outer += times.outer;
  window_.reduce += times.reduce;
  ++window_steps_;
  fault_point("trainer.step");
}

double Trainer::accuracy(const StepTotals& totals) const {
  return classes_ ? totals.accuracy : NAN;
}

void Trainer::log_step(bool force) {
  if (!is_root()) return;
  const auto& totals = objective_->totals();
  progress_->update(state_.step, totals.loss, accuracy(totals),
                    config_.task.meta_batch);
  if (!force && state_.step % config_.run.log_every != 0) return;
  if (window_steps_ == 0) return;
  const double elapsed = seconds_since(window_start_);
  const double steps = static_cast<double>(window_steps_);
  tasks_per_s_ = steps * config_.task.meta_batch / elapsed;
  double busy = 0, busiest = 0;
  const RankReport* worst = &totals.ranks.front();
  for (const auto& rank : totals.ranks) {
    busy += rank.cpu_s;
    busiest = std::max<double>(busiest, rank.cpu_s);
    if (rank.worst_loss > worst->worst_loss) worst = &rank;
  }
  nlohmann::json line = {
      {"step", state_.step},
      {"loss", totals.loss},
      {"accuracy", accuracy(totals)},
      {"tasks_per_s", tasks_per_s_},
      {"data_s", window_.data / steps},
      {"inner_s", window_.inner / steps},
      {"outer_s", window_.outer / steps},
      {"reduce_s", window_.reduce / steps},
      {"optimiser_s", optimiser_s_ / steps},
      {"grad_norm", state_.outer->last_gradient_norm()},
      {"theta_norm",
       state_.meta.theta.to(at::kCPU, at::kDouble).norm().item<double>()},
      {"worst_task", worst->worst_task},
      {"worst_loss", worst->worst_loss},
      {"held_back", curriculum_.held_back(state_.step - 1)},
      {"imbalance",
       busy > 0 ? busiest * static_cast<double>(totals.ranks.size()) / busy
                : 1.0}};
  if (e_.tasks.environment) {  // see rl/policy_learner.h
    line["return_before"] = totals.accuracy;
    line["return"] = -totals.loss;
  }
  metrics_->write(line);
  logs_->metrics(line);
  window_ = {};
  optimiser_s_ = 0;
  window_steps_ = 0;
  window_start_ = Clock::now();
}

void Trainer::rank_among_best(double score) {
  auto& best = state_.best;
  const auto place = std::find_if(
      best.begin(), best.end(), [&](const auto& b) { return score > b.score; });
  state_.validations_without_gain =
      place == best.begin() ? 0 : state_.validations_without_gain + 1;
  among_best_ = place - best.begin() < config_.checkpoint.keep_best;
  best.insert(place, {score, state_.step});
  if (best.size() > static_cast<size_t>(config_.checkpoint.keep_best))
    best.pop_back();
}

// On the same tasks every time; the stop by target or patience follows from the
// gathered result, so every rank decides alike.
void Trainer::validate() {
  const TraceSpan span("step", "validate");
  station_->enter(RankPhase::validating, state_.step);
  const double before = seconds_since(start_);
  validation_ =
      evaluate(e_, comm_, state_.meta,
               stream_tasks(e_, Stream::validation, config_.eval.tasks));
  const auto& last = validation_->last();
  const bool classes = !std::isnan(last.accuracy);
  const double score = classes ? last.accuracy : -last.loss;
  // A GAN without a bound has none.
  if (!std::isnan(score)) rank_among_best(score);
  target_reached_ = classes && config_.eval.target_accuracy > 0 &&
                    last.accuracy >= config_.eval.target_accuracy;
  curriculum_.validated(state_.step, last.accuracy);
  validate_s_ += seconds_since(start_) - before;
  if (!is_root()) return;
  nlohmann::json line = {{"step", state_.step},
                         {"validation_loss", last.loss},
                         {"validation_accuracy", last.accuracy},
                         {"validation_ci95", validation_->ci95},
                         {"validate_s", seconds_since(start_) - before}};
  if (validation_->acts)  // after 0, 1, ... inner steps
    for (const auto& step : validation_->per_step)
      line["validation_return"].push_back(-step.loss);
  metrics_->write(line);
  progress_->note(classes
                      ? concat("step ", state_.step, ": validation accuracy ",
                               std::round(last.accuracy * 1e4) / 100, " % +- ",
                               std::round(validation_->ci95 * 1e4) / 100)
                      : concat("step ", state_.step, ": validation loss ",
                               last.loss, " +- ", validation_->ci95));
}

// What checkpoints keep and no rank holds alone. Every rank knows when.
void Trainer::collect() {
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
  if (!run_->lock_held())
    throw Error(config_.run.dir +
                ": another process has taken over this run directory");
  const double before = seconds_since(start_);
  station_->enter(RankPhase::storing, state_.step);
  if (generator_ && !generator_->store()) return false;
  state_.costs = *station_->costs().at(state_.step);
  writer_->submit(to_checkpoint(state_, e_.learner->spaces(), identity_));
  store_s_ += seconds_since(start_) - before;
  return true;
}

bool Trainer::wants_to_stop() const {
  return state_.step >= config_.run.steps || target_reached_ ||
         (stop_bits_ & (kStopBySignal | kStopByTime)) ||
         (config_.eval.patience > 0 &&
          state_.validations_without_gain >= config_.eval.patience);
}

TrainOutcome Trainer::run() {
  open_run();
  start_ = window_start_ = Clock::now();
  while (!wants_to_stop()) {
    step();
    log_step(false);
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

TrainOutcome Trainer::finish() {
  station_->enter(RankPhase::ending, state_.step);
  const double wall_s = seconds_since(start_);
  const bool by_signal = (stop_bits_ & kStopBySignal) &&
                         state_.step < config_.run.steps && !target_reached_;
  TrainOutcome outcome;
  int64_t stored = 1;
  collect();
  if (is_root()) {
    log_step(true);
    progress_->finish();
    if (writer_->status().step != state_.step &&
        (state_.step != resumed_from_ || context_.resume != "auto"))
      stored = save();
    const auto status = writer_->finish();
    stored = stored && status.stored;
    outcome.summary = summary(wall_s);
    if (!status.stored)
      log_error(concat("the last checkpoint (step ", state_.step,
                       ") is not stored: ", status.error));
    run_->write_summary(outcome.summary);
    if (stored && !by_signal) run_->mark_done(state_.step);
    log_info(
        concat("step ", state_.step, ": trained ", state_.step - first_step_,
               " steps in ", std::round(wall_s * 10) / 10, " s, ",
               std::round(1000 * validate_s_ / std::max(wall_s, 1e-9)) / 10,
               " % of it validation"));
    if (by_signal)
      log_info(concat("stopped by request at step ", state_.step,
                      stored ? "; resume with --resume auto" : ""));
  }
  // Nobody leaves before the last checkpoint is decided.
  comm_.broadcast(&stored, sizeof stored, 0);
  logs_->write_trace();
  outcome.exit_code = !stored     ? kExitFailed
                      : by_signal ? kExitStopped
                                  : kExitDone;
  return outcome;
}

nlohmann::json Trainer::summary(double wall_s) const {
  const auto c = to_checkpoint(state_, e_.learner->spaces(), {});
  const int64_t steps = state_.step - first_step_;
  const auto& reducer = objective_->reducer();
  nlohmann::json s = {
      {"theta_sha256", theta_sha256(c)},
      {"state_sha256", state_sha256(c)},
      {"steps", state_.step},
      {"resumed_from",
       resumed_from_ < 0 ? nlohmann::json() : nlohmann::json(resumed_from_)},
      {"ranks", comm_.size()},
      {"backend", world_.data_plane().backend()},
      {"reduction", config_.reduction},
      {"threads", config_.run.threads},
      {"stacks_per_step", objective_->stacks_per_step()},
      {"tasks_by_rank", objective_->tasks_by_rank()},
      {"tasks_seen", state_.tasks_seen},
      {"seed", config_.run.seed},
      {"wall_s", wall_s},
      {"tasks_per_s",
       wall_s > 0
           ? static_cast<double>(steps * config_.task.meta_batch) / wall_s
           : 0.0},
      {"validation_share", wall_s > 0 ? validate_s_ / wall_s : 0.0},
      {"checkpoint_share", wall_s > 0 ? store_s_ / wall_s : 0.0},
      {"coordinator_cpu_share", station_->cpu_seconds() / cpu_seconds()},
      {"scale_repeats", reducer.repeats()},
      {"setbacks", state_.setbacks},
      {"learner", e_.learner->name()},
      {"data_checksum", e_.tasks.checksum},
      {"provenance", context_.provenance}};
  if (validation_) s["validation"] = validation_->to_json();
  if (!state_.best.empty())
    s["best_validation"] = {{"step", state_.best.front().step},
                            {"score", state_.best.front().score}};
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
