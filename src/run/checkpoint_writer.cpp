#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <pthread.h>

#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/log.h"
#include "protean/core/trace.h"
#include "protean/run/checkpoint.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::chrono::duration<double> seconds(double s) {
  // Far below where the addition to a time point would overflow.
  return std::chrono::duration<double>(std::min(s, 1e8));
}

}  // namespace

struct CheckpointWriter::Shared {
  // Fixed before the thread starts.
  fs::path checkpoints;
  CheckpointOptions options;

  std::mutex mutex;
  std::condition_variable changed;
  // The last state submitted, kept until it is stored; and whether the thread
  // is to write it.
  std::shared_ptr<const CheckpointState> last;
  bool wanted = false;
  bool busy = false;
  bool closing = false;
  CheckpointStatus status;
  std::thread thread;

  void run();
  void store(const CheckpointState& state);
};

void CheckpointWriter::Shared::store(const CheckpointState& state) {
  const TraceSpan span("checkpoint", concat("step ", state.step));
  const auto path = save_checkpoint(state, checkpoints);
  {
    std::lock_guard lock(mutex);
    status.step = state.step;
    status.path = path;
  }
  try {
    prune_checkpoints(checkpoints, options, state.best_steps);
  } catch (const std::exception& e) {
    // The checkpoint itself is on disk.
    log_warning(std::string("old checkpoints stay: ") + e.what());
  }
}

void CheckpointWriter::Shared::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return wanted || closing; });
    if (!wanted) return;
    const auto state = last;
    wanted = false;
    busy = true;
    lock.unlock();
    const double begin = now();
    std::string error;
    try {
      store(*state);
    } catch (const std::exception& e) {
      error = e.what();
      if (error.empty()) error = "unknown error";
    }
    if (!error.empty())
      log_warning(concat("checkpoint of step ", state->step,
                         " is not stored: ", error));
    lock.lock();
    busy = false;
    status.write_s = now() - begin;
    status.failures += !error.empty();
    if (last == state) {
      status.stored = error.empty();
      status.error = error;
      if (status.stored) last = nullptr;
    }
    changed.notify_all();
  }
}

CheckpointWriter::CheckpointWriter(fs::path checkpoints, fs::path fallback,
                                   CheckpointOptions options)
    : options_(std::move(options)),
      fallback_(std::move(fallback)),
      shared_(std::make_shared<Shared>()),
      last_submit_(now()) {
  validate(options_);
  arm_faults();
  shared_->checkpoints = std::move(checkpoints);
  shared_->options = options_;
  // Signals are for the main thread; and with SIGXFSZ blocked a file size limit
  // is an error of write() instead of the end of the process.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  shared_->thread = std::thread([shared = shared_] { shared->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CheckpointWriter::~CheckpointWriter() {
  const bool idle = wait_idle(options_.wait_s);
  {
    std::lock_guard lock(shared_->mutex);
    if (!shared_->status.stored)
      log_warning("the last checkpoint is not stored: " +
                  shared_->status.error);
    shared_->wanted = false;
    shared_->closing = true;
  }
  shared_->changed.notify_all();
  if (idle)
    shared_->thread.join();
  else
    shared_->thread.detach();
}

bool CheckpointWriter::wait_idle(double limit) {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(
      lock, seconds(limit), [&] { return !shared_->busy && !shared_->wanted; });
}

bool CheckpointWriter::due(int64_t step) const {
  return (options_.every > 0 && step % options_.every == 0) ||
         (options_.every_s > 0 && now() - last_submit_ >= options_.every_s);
}

void CheckpointWriter::submit(CheckpointState state) {
  auto next = std::make_shared<const CheckpointState>(std::move(state));
  const double begin = now();
  const bool idle = wait_idle(options_.wait_s);
  waited_s_ += now() - begin;
  {
    std::lock_guard lock(shared_->mutex);
    if (!idle)
      log_warning(concat("checkpoint of step ", next->step,
                         " waits: an earlier write takes longer than ",
                         options_.wait_s, " s; training goes on"));
    shared_->last = std::move(next);
    shared_->wanted = true;
    shared_->status.stored = false;
    shared_->status.error = "still being written";
  }
  shared_->changed.notify_all();
  last_submit_ = now();
}

CheckpointStatus CheckpointWriter::status() const {
  std::lock_guard lock(shared_->mutex);
  auto status = shared_->status;
  status.waited_s = waited_s_;
  return status;
}

CheckpointStatus CheckpointWriter::drain() {
  wait_idle(options_.wait_s);
  return status();
}

CheckpointStatus CheckpointWriter::finish() {
  auto result = drain();
  // At once, then after a quarter of a second, doubling: a network disk comes
  // back within seconds, a full one when somebody cleans up.
  double pause = 0.25;
  for (const double end = now() + options_.grace_s; !result.stored;) {
    {
      std::lock_guard lock(shared_->mutex);
      if (!shared_->busy && shared_->last) shared_->wanted = true;
    }
    shared_->changed.notify_all();
    wait_idle(std::max(0.0, end - now()) + options_.wait_s);
    result = status();
    const double left = end - now();
    if (result.stored || left <= 0) break;
    std::this_thread::sleep_for(seconds(std::min(pause, left)));
    pause = std::min(2 * pause, 4.0);
  }
  if (result.stored || fallback_.empty()) return result;

  std::shared_ptr<const CheckpointState> last;
  {
    std::lock_guard lock(shared_->mutex);
    last = shared_->last;
    shared_->wanted = false;
  }
  if (!last) return status();  // the late write came through after all
  try {
    const auto path = save_checkpoint(*last, fallback_);
    log_warning("the last checkpoint is in checkpoint.fallback_dir: " +
                path.string());
    std::lock_guard lock(shared_->mutex);
    shared_->last = nullptr;
    shared_->status.stored = true;
    shared_->status.step = last->step;
    shared_->status.path = path;
    shared_->status.error.clear();
  } catch (const std::exception& e) {
    log_warning(
        concat("checkpoint of step ", last->step,
               " is not stored in checkpoint.fallback_dir: ", e.what()));
    std::lock_guard lock(shared_->mutex);
    shared_->status.error += std::string("; ") + e.what();
  }
  return status();
}

}  // namespace protean
