#include "trainer/generator_service.h"

#include <algorithm>
#include <limits>

#include "protean/comm/inproc.h"
#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/core/trace.h"
#include "protean/models/threads.h"
#include "protean/trainer/meta_step.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVersion = "version-";

}  // namespace

GeneratorService::GeneratorService(const Experiment& run, World& world,
                                   at::Device device, int64_t step)
    : run_(run),
      world_(world),
      reduction_(reduction_options(run.config)),
      device_(device),
      generator_(*run.generator->experiment),
      apart_(run.config.coordinator.dedicated && world.control->size() > 1) {
  generator_.config.coordinator = run.config.coordinator;
  generator_.config.data.prefetch = run.config.data.prefetch;
  const uint32_t made = run.schedule.made_by(step);
  // The one before may be what the next tasks name.
  if (const uint32_t active = run.schedule.active_at(step); active != made) {
    TrainingState old = initial_state(generator_, device);
    load(active, old);
    publish(active, old);
  }
  state_ = initial_state(generator_, device);
  load(made, state_);
  publish(made, state_);
}

fs::path GeneratorService::folder(uint32_t version) const {
  return fs::path(run_.config.run.dir) / "generator" /
         concat(kVersion, version);
}

void GeneratorService::load(uint32_t version, TrainingState& state) const {
  on_root(*world_.control, [&] {
    const auto where =
        version == 0 ? fs::path(run_.config.generated.from) / "checkpoints"
                     : folder(version);
    const auto found = find_newest_valid(where);
    if (!found)
      throw DataError(concat(where.string(),
                             ": no checkpoint there; expected "
                             "version ",
                             version, " of the generator"));
    from_checkpoint(found->state, generator_.learner->spaces(), state);
  });
  broadcast(state, *world_.control);
}

void GeneratorService::publish(uint32_t version,
                               const TrainingState& state) const {
  run_.versions->add(version,
                     {state.meta.theta.to(at::kCPU, at::kFloat, false, true),
                      state.meta.state.to(at::kCPU, at::kFloat, false, true)});
}

GeneratorService::~GeneratorService() {
  stop_ = true;
  if (trainer_.joinable()) trainer_.join();
}

void GeneratorService::step_done(int64_t step) {
  run_.versions->forget_before(run_.schedule.active_at(step));
  if (run_.schedule.publishes_at(step)) {
    const uint32_t version = run_.schedule.made_by(step);
    if (apart_) {
      awaited_ = version;
      begin();
    } else {
      const TraceSpan span("step", concat("generator version ", version));
      train(world_.data_plane());
      made(version);
    }
  }
  // Its first tasks are prepared data.prefetch steps ahead.
  if (awaited_ == 0 || step + run_.config.data.prefetch + 1 <
                           run_.schedule.active_from(awaited_))
    return;
  const TraceSpan span("step", concat("generator version ", awaited_));
  on_root(*world_.control, [this] {
    wait();
    if (error_) std::rethrow_exception(error_);
  });
  broadcast(state_, *world_.control);
  made(awaited_);
  awaited_ = 0;
}

void GeneratorService::begin() {
  if (world_.control->rank() != 0) return;
  trainer_ = std::thread([this] {
    set_thread_log_rank(0, world_.control->size());
    const TraceSpan span("generator", concat("version ", awaited_));
    set_threads(run_.config.run.threads);
    try {
      const auto alone = make_inproc(1, run_.config.comm);
      train(*alone[0].comm);
    } catch (...) {
      error_ = std::current_exception();
    }
  });
}

void GeneratorService::wait() {
  if (trainer_.joinable()) trainer_.join();
}

void GeneratorService::made(uint32_t version) {
  publish(version, state_);
  if (world_.control->rank() != 0) return;
  keep(version);
  log_info(concat("generator version ", version, ", after ", state_.step,
                  " of its steps, makes tasks from step ",
                  run_.schedule.active_from(version)));
}

void GeneratorService::keep(uint32_t version) {
  if (kept_ >= version) return;
  kept_ = version;
  pending_.emplace_back(
      version, to_checkpoint(state_, generator_.learner->spaces(), {}));
}

// The rate follows the generator's own schedule, which ends where its run was
// to end; from there on it stays as it is.
void GeneratorService::train(Communicator& comm) {
  const int64_t end = state_.step + run_.config.generated.refresh_steps;
  StepObjective objective(
      {generator_, comm, reduction_, device_, state_.step, end},
      [this] {
        RankReport report;
        if (device_.is_cpu()) report.hash = state_.hash();
        return report;
      },
      nullptr, [this](int64_t step) { return generator_.schedule.at(step); });
  if (state_.exponents) objective.reducer().set_exponents(*state_.exponents);
  try {
    while (state_.step < end && !stop_)
      meta_step(objective, state_,
                {generator_.config.run.steps, 1, "the generator's "});
    if (!device_.is_cpu()) check_finite(state_);
  } catch (const NumericError& e) {  // every rank has it
    throw AgreedError(concat("the generator's ", e.what()), e.exit_code());
  }
}

bool GeneratorService::store() {
  // A run that goes on from here asks for the version that is being made.
  if (awaited_ > 0) {
    wait();
    if (!error_) keep(awaited_);
  }
  try {
    while (!pending_.empty()) {
      const auto& [version, state] = pending_.front();
      save_checkpoint(state, folder(version));
      pending_.erase(pending_.begin());
    }
  } catch (const DataError& e) {
    log_warning(concat("version ", pending_.front().first,
                       " of the generator is not stored: ", e.what()));
    return false;
  }
  prune();
  return true;
}

void GeneratorService::prune() const {
  int64_t oldest = std::numeric_limits<int64_t>::max();
  const auto run = fs::path(run_.config.run.dir);
  for (const int64_t step : checkpoint_steps(run / "checkpoints"))
    oldest = std::min(oldest, step);
  std::error_code error;
  if (oldest == std::numeric_limits<int64_t>::max()) return;
  for (uint32_t old = run_.schedule.active_at(oldest);
       old-- > 1 && fs::exists(folder(old), error);)
    fs::remove_all(folder(old), error);
}

}  // namespace protean
