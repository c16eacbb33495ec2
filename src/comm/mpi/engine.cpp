// The engine's start and end; engine_calls.cpp has what other threads call,
// engine_thread.cpp what its own thread does.
#include "comm/mpi/engine.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "protean/core/log.h"
#include "protean/core/quiet_thread.h"

#include "comm/launcher.h"
#include "comm/mpi/engine_messages.h"
#include "comm/watchdog.h"

namespace protean::mpi {
namespace {

constexpr double kAbortSeconds = 10;  // for MPI_Abort itself

int usable_cores() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

Scratch::Scratch(Engine& engine, size_t bytes) {
  constexpr size_t kSmallest = 4096;
  const size_t wanted = std::bit_ceil(std::max(bytes, kSmallest));
  {
    std::lock_guard lock(engine.pool_mutex_);
    for (size_t i = engine.pool_.size(); i-- > 0 && !data_;)
      if (engine.pool_[i].capacity_ == wanted) {
        swap(engine.pool_[i]);
        engine.pool_.erase(engine.pool_.begin() + static_cast<ptrdiff_t>(i));
      }
  }
  engine_ = &engine;
  capacity_ = wanted;
  if (!data_) data_ = std::make_unique_for_overwrite<char[]>(wanted);
}

Scratch::~Scratch() {
  Engine* home = std::exchange(engine_, nullptr);
  if (!home || !data_) return;
  constexpr size_t kKept = 16;
  std::lock_guard lock(home->pool_mutex_);
  if (home->pool_.size() >= kKept) home->pool_.erase(home->pool_.begin());
  home->pool_.push_back(std::move(*this));
}

Engine::Engine(const CommOptions& options)
    : options_(options), host_(host_name()) {
  const Launcher launcher = find_launcher();
  who_ = concat("rank ", launcher.rank, "/", launcher.ranks, " on ", host_);
  thread_ = start_quiet_thread([this] { thread_main(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ready_; });  // the watchdog ends a bad start
  if (start_error_) {
    lock.unlock();
    thread_.join();
    std::rethrow_exception(start_error_);
  }
}

Engine::~Engine() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  thread_.join();
}

void Engine::thread_main() {
  ::prctl(PR_SET_TIMERSLACK, 1000);  // ns; short naps stay short
  try {
    initialise();
  } catch (const CommError& e) {
    // MPI itself fails: the others may be waiting in the same call.
    log_error(e.what());
    Watchdog watchdog(who_, "MPI_Abort", kAbortSeconds);
    MPI_Abort(MPI_COMM_WORLD, kExitFailed);
    _exit(kExitFailed);
  } catch (...) {
    start_error_ = std::current_exception();
  }
  {
    std::lock_guard lock(mutex_);
    ready_ = true;
  }
  changed_.notify_all();
  if (start_error_) return;
  serve();
  finalise();
}

void Engine::initialise() {
  Watchdog watchdog(who_, "MPI_Init and communicator set-up",
                    options_.init_timeout_s);
  // This thread makes all calls. Asked for more, Open MPI built without threads
  // in UCX would leave a fast network for TCP, without a word.
  check(
      MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &thread_level_),
      "MPI_Init_thread");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check(MPI_Get_library_version(version, &length), "MPI_Get_library_version");
  library_version_.assign(version, static_cast<size_t>(length));
  // Open MPI's goes on after a comma, MPICH's has many lines.
  library_version_ =
      library_version_.substr(0, library_version_.find_first_of(",\n"));
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  who_ = concat("rank ", rank_, "/", size_, " on ", host_);

  const Launcher launcher = find_launcher();
  std::string problem;
  if (thread_level_ < MPI_THREAD_SERIALIZED)
    problem = concat("MPI gives thread level ", thread_level_, "; expected ",
                     "MPI_THREAD_SERIALIZED or more: use an MPI library with "
                     "threads");
  else if (launcher.ranks != size_ && size_ == 1)
    problem = concat(
        launcher.name, " says that it started ", launcher.ranks,
        " ranks, but MPI sees 1: ",
        launcher.name == "srun"
            ? "use srun --mpi=pmix, or mpirun inside the allocation"
            : "use the launcher of the MPI library that this program was built "
              "with");
  if (!problem.empty()) {
    MPI_Finalize();  // nobody is connected: each process is a job of its own
    throw ConfigError(problem);
  }

  MPI_Comm comm, local;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &notice_comm_), "MPI_Comm_dup");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &mail_comm_), "MPI_Comm_dup");
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_,
                            MPI_INFO_NULL, &local),
        "MPI_Comm_split_type");
  MPI_Comm_rank(local, &local_rank_);
  MPI_Comm_size(local, &local_size_);
  MPI_Comm_free(&local);
  own_core_ = usable_cores() >= local_size_;
  spare_cores_ = usable_cores() >= 2 * local_size_;

  std::vector<int> ranks;
  for (int r = 0; r < size_; ++r) ranks.push_back(r);
  world_ = add_channel(comm, 1, std::move(ranks), rank_);
  incoming_ = std::make_unique<Notice>();
  requests_.assign(1, MPI_REQUEST_NULL);
  owners_.assign(1, nullptr);
  answers_.resize(static_cast<size_t>(size_));
  listen();
}

void Engine::finish() {
  // Agreed first, so that nobody sits in MPI_Finalize while others compute.
  struct Leave final : Operation {
    using Operation::Operation;
    bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
      MPI_Request request;
      engine.check(MPI_Ibarrier(channel_.comm, &request), "MPI_Ibarrier");
      requests.push_back(request);
      return true;
    }
  };
  drain_mail();
  if (size_ > 1) {
    auto leave = std::make_shared<Leave>(world_, Call{});
    submit(leave);
    wait(*leave);
  }
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  thread_.join();
}

void Engine::finalise() {
  if (broken_ || torn_down_) return;  // never after an error
  Watchdog watchdog(who_, "MPI_Finalize", options_.init_timeout_s);
  if (requests_[0] != MPI_REQUEST_NULL) {
    MPI_Cancel(&requests_[0]);
    MPI_Wait(&requests_[0], MPI_STATUS_IGNORE);
  }
  for (auto& out : outgoing_) MPI_Wait(&out->request, MPI_STATUS_IGNORE);
  MPI_Comm_free(&notice_comm_);
  MPI_Comm_free(&mail_comm_);
  MPI_Comm_free(&world_->comm);
  MPI_Finalize();
}

void Engine::abort(const std::string& why, int exit_code) {
  // Whatever happens below, the process ends.
  Watchdog watchdog(who_, "ending the job",
                    3 * options_.grace_s + 2 * kAbortSeconds, exit_code);
  fail(why, exit_code);
  if (std::this_thread::get_id() != thread_.get_id()) {
    std::unique_lock lock(mutex_);
    exit_code = failure_->exit_code;
    if (failure_->rank == rank_) {
      changed_.wait_for(lock, ticks(options_.grace_s),
                        [&] { return informed_ == size_ - 1; });
    } else {
      // The culprit ends the job once everybody knows.
      Notice notice;
      notice.kind = Notice::informed;
      notice.from = rank_;
      const int to = failure_->rank;
      jobs_.push_back([this, to, notice] { send_notice(to, notice); });
      queued_ = true;
      work_.notify_all();
      changed_.wait_for(lock, ticks(2 * options_.grace_s + 1),
                        [] { return false; });
    }
    // From the engine thread where it answers; it may be stuck in a call.
    jobs_.push_back([this, exit_code] {
      torn_down_ = true;
      MPI_Abort(MPI_COMM_WORLD, exit_code);
    });
    queued_ = true;
    work_.notify_all();
    changed_.wait_for(lock, ticks(kAbortSeconds), [] { return false; });
  }
  if (thread_level_ == MPI_THREAD_MULTIPLE ||
      std::this_thread::get_id() == thread_.get_id())
    MPI_Abort(MPI_COMM_WORLD, exit_code);
  _exit(exit_code);
}

const char* Engine::thread_level() const {
  return thread_level_ == MPI_THREAD_MULTIPLE ? "multiple" : "serialized";
}

}  // namespace protean::mpi
