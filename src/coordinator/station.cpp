#include "protean/coordinator/station.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include <pthread.h>
#include <unistd.h>

#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/core/memory_use.h"
#include "protean/core/quiet_thread.h"
#include "protean/core/signals.h"

#include "coordinator/coordinator.h"

namespace protean {
namespace {

constexpr int kCoordinatorRank = 0;
// How long the destructor may have to wait.
constexpr double kSlice = 0.1;
// Share of a memory limit at which people should know.
constexpr double kCloseToLimit = 0.9;

}  // namespace

void validate(const CoordinatorOptions& o) {
  auto positive = [](const char* key, double value) {
    if (!(value > 0) || !std::isfinite(value))
      throw ConfigError(concat(key, " = ", value, "; expected > 0 seconds"));
  };
  positive("coordinator.heartbeat_s", o.heartbeat_s);
  positive("coordinator.warn_s", o.warn_s);
  positive("coordinator.silence_s", o.silence_s);
  positive("coordinator.progress_s", o.progress_s);
  if (o.silence_s < 2 * o.heartbeat_s)
    throw ConfigError(concat("coordinator.silence_s = ", o.silence_s,
                             "; expected at least twice "
                             "coordinator.heartbeat_s = ",
                             o.heartbeat_s));
}

Station::Station(World& world, const CoordinatorOptions& options,
                 const CostTable& start)
    : world_(world),
      options_(options),
      costs_(start),
      coordinator_watch_({concat("the coordinator, rank ", kCoordinatorRank)},
                         options, now()) {
  const int rank = world.control->rank(), ranks = world.control->size();
  if (rank == kCoordinatorRank)
    coordinator_ = std::make_unique<Coordinator>(ranks, options, start, now());
  thread_ = start_quiet_thread([this, rank, ranks] {
    set_thread_log_rank(rank, ranks);
    try {
      run();
    } catch (const PeerError&) {
      // The trainer learns the same from its next call.
    } catch (const std::exception& e) {
      world_.control->fail(concat("coordinator thread: ", e.what()),
                           kExitFailed);
    }
  });
}

Station::~Station() {
  stop_ = true;
  thread_.join();
}

void Station::enter(RankPhase phase, int64_t step) {
  ++progress_;
  std::lock_guard lock(mutex_);
  phase_ = phase;
  step_ = step;
}

void Station::observe(const StackCost& cost) {
  std::lock_guard lock(mutex_);
  biggest_stack_ = std::max(biggest_stack_, cost.static_cost);
  if (!(cost.seconds > 0)) return;
  const auto same = std::find_if(
      observed_.begin(), observed_.end(),
      [&](const auto& c) { return c.shape_key == cost.shape_key; });
  if (same == observed_.end()) {
    observed_.push_back(cost);
  } else {
    same->static_cost += cost.static_cost;
    same->seconds += cost.seconds;
  }
}

void Station::step_done(std::span<const float> busy_s) {
  if (coordinator_) coordinator_->step_done(busy_s);
}

double Station::cpu_seconds() const {
  clockid_t clock{};
  timespec t{};
  // A pthread of this process that was not joined has a clock.
  pthread_getcpuclockid(const_cast<std::thread&>(thread_).native_handle(),
                        &clock);
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double Station::now() const {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Station::beat() {
  Beat beat;
  beat.progress = progress_;
  {
    std::lock_guard lock(mutex_);
    beat.phase = phase_;
    beat.step = step_;
    beat.costs.swap(observed_);
  }
  world_.mail->send(kCoordinatorRank, encode(beat));
}

std::string Station::memory_advice() {
  double biggest = 0;
  {
    std::lock_guard lock(mutex_);
    biggest = biggest_stack_;
  }
  if (!(biggest > 0)) return {};
  return concat("; this rank's biggest stack has ", biggest,
                " examples: lower task.stack or ask for more");
}

void Station::watch_memory() {
  const auto use = memory_use();
  if (!use) return;
  const auto mib = [](uint64_t bytes) { return bytes >> 20; };
  if (!killed_) killed_ = use->killed;
  if (use->killed > *killed_) {
    killed_ = use->killed;
    log_error(concat("memory: the kernel has killed a process of ", use->group,
                     ", whose limit is ", mib(use->limit), " MiB (peak ",
                     mib(use->peak), ")", memory_advice()));
  }
  const auto share =
      static_cast<double>(use->used) / static_cast<double>(use->limit);
  const bool close = share > kCloseToLimit;
  if (close && !memory_named_)
    log_warning(concat("memory: ", mib(use->used), " of ", mib(use->limit),
                       " MiB of ", use->group, " in use (peak ", mib(use->peak),
                       "), beyond which the kernel kills", memory_advice()));
  memory_named_ = close || (memory_named_ && share > kCloseToLimit - 0.1);
}

void Station::handle(const Mail& mail, double now) {
  const auto message = decode(mail.bytes);
  if (const auto* table = std::get_if<CostTable>(&message)) {
    costs_.add(*table);
    coordinator_watch_.heard(0, now);
  } else if (std::holds_alternative<Pulse>(message)) {
    coordinator_watch_.heard(0, now);
  } else if (mail.from == kCoordinatorRank && !coordinator_ &&
             std::holds_alternative<Bye>(message)) {
    coordinator_watch_.bye(0);
  } else if (coordinator_) {
    coordinator_->handle(mail.from, message, now);
  }
}

void Station::run() {
  auto& mail = *world_.mail;
  const int ranks = world_.control->size();
  auto to_all = [&](const Message& message) {
    for (int r = 0; r < ranks; ++r) mail.send(r, encode(message));
  };
  mail.send(kCoordinatorRank, encode(Hello{world_.host, ::getpid()}));
  watch_memory();
  double next = now();
  bool asked_to_stop = stop_requested();
  while (!stop_) {
    // A launcher that has lost one rank leaves the others little time to speak.
    if (!asked_to_stop && stop_requested()) {
      asked_to_stop = true;
      watch_memory();
    }
    if (now() >= next) {
      next = now() + options_.heartbeat_s;
      beat();
      watch_memory();
      if (coordinator_)
        for (const auto& message : coordinator_->tick()) to_all(message);
    }
    const double wait = std::clamp(next - now(), 0.0, kSlice);
    for (auto got = mail.receive(wait); got; got = mail.receive())
      handle(*got, now());
    std::optional<std::string> lost;
    if (coordinator_) {
      lost = coordinator_->check(now());
    } else {
      for (const auto& finding : coordinator_watch_.check(now())) {
        if (finding.fatal)
          lost = finding.line;
        else
          log_warning(finding.line);
      }
    }
    if (lost) {
      world_.control->fail(*lost, kExitFailed);
      return;
    }
  }
  if (coordinator_)
    to_all(Bye{});
  else
    mail.send(kCoordinatorRank, encode(Bye{}));
}

}  // namespace protean
