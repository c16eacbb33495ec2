#include "comm/mpi/engine.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "protean/core/log.h"
#include "protean/core/quiet_thread.h"

#include "comm/launcher.h"
#include "comm/watchdog.h"

namespace protean::mpi {
namespace {

constexpr int kNoticeTag = 1;
constexpr int kMailTag = 1;           // on a communicator of its own
constexpr double kAnswerSeconds = 1;  // for ranks to say what they are doing
constexpr double kAbortSeconds = 10;  // for MPI_Abort itself

using std::chrono::duration;
using std::chrono::duration_cast;

Clock::duration ticks(double seconds) {
  return duration_cast<Clock::duration>(duration<double>(seconds));
}

int usable_cores() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

double seconds_since(Clock::time_point start) {
  return duration<double>(Clock::now() - start).count();
}

// A message on the notice channel; one size, so that one receive fits all.
struct Engine::Notice {
  enum Kind : uint32_t { failure, informed, question, reply };
  Kind kind = failure;
  int32_t from = 0;
  int32_t culprit = 0;
  int32_t exit_code = 0;
  uint32_t question_number = 0;
  uint32_t noted = 0;  // question: about the noted calls
  uint64_t channel = 0;
  uint64_t call = 0;
  char text[976] = {};

  void set_text(const std::string& s) {
    std::strncpy(text, s.c_str(), sizeof text - 1);
  }
};

struct Engine::Outgoing {
  Notice notice;
  std::string mail;  // instead of the notice
  bool is_mail = false;
  MPI_Request request = MPI_REQUEST_NULL;
};

struct Engine::Incoming {
  Mail mail;
  MPI_Request request = MPI_REQUEST_NULL;
};

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

// --- start and end -----------------------------------------------------------

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
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &thread_level_),
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

// --- called by other threads -------------------------------------------------

std::shared_ptr<Channel> Engine::add_channel(MPI_Comm comm, uint64_t id,
                                             std::vector<int> world, int rank) {
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  auto channel = std::make_shared<Channel>();
  channel->comm = comm;
  channel->id = id;
  channel->rank = rank;
  channel->size = static_cast<int>(world.size());
  channel->world = std::move(world);
  std::lock_guard lock(mutex_);
  std::erase_if(channels_, [](auto& c) { return c.expired(); });
  channels_.push_back(channel);
  return channel;
}

void Engine::remove_channel(Channel& channel) {
  if (broken_) return;
  run_blocking("MPI_Comm_free", [&] { MPI_Comm_free(&channel.comm); });
}

void Engine::submit(std::shared_ptr<Operation> op) {
  std::unique_lock lock(mutex_);
  if (failure_) throw_failure();
  Channel& channel = op->channel_;
  if (channel.left) {
    lock.unlock();
    fail(concat(name(*op), ": an exception has left an earlier call undone"),
         kExitFailed);
    check();
  }
  op->number_ = ++channel.called.calls;
  channel.called.last = op->call_;
  channel.called.time = op->started_;
  submitted_.push_back(std::move(op));
  queued_ = true;
  work_.notify_one();
}

void Engine::wait(Operation& op) {
  if (spare_cores_) {  // a wake-up costs more than a small call
    const auto until = Clock::now() + std::chrono::microseconds(50);
    while (!op.over_ && Clock::now() < until) {
    }
  }
  const auto deadline = op.started_ + ticks(options_.timeout_s);
  ++waiting_;
  std::unique_lock lock(op.mutex_);
  const bool in_time =
      op.changed_.wait_until(lock, deadline, [&] { return op.over_.load(); });
  op.abandoned_ |= !in_time;
  lock.unlock();
  --waiting_;
  if (!in_time) {
    const std::string elapsed = seconds_text(seconds_since(op.started_));
    fail(concat(name(op), ": not done in ", elapsed, "; ",
                who_is_missing(op.channel_, false, op.call_, op.number_)),
         kExitFailed);
  }
  if (!op.ok_ || !in_time) check();
}

void Engine::abandon(Operation& op) {
  {
    std::lock_guard lock(op.mutex_);
    op.abandoned_ = true;
  }
  std::lock_guard lock(mutex_);
  op.channel_.left = true;
}

bool Engine::done(Operation& op) {
  if (!op.over_) {
    if (Clock::now() > op.started_ + ticks(options_.timeout_s)) wait(op);
    return op.over_;
  }
  std::lock_guard lock(op.mutex_);
  if (!op.ok_) check();
  return true;
}

void Engine::check() {
  if (!broken_) return;
  std::lock_guard lock(mutex_);
  throw_failure();
}

void Engine::check(int code, const char* function) const {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommError(concat(who_, ", ", function, ": ", text));
}

void Engine::throw_failure() const {
  if (failure_->rank == rank_)
    throw CommError(failure_->why, failure_->exit_code);
  throw PeerError(failure_->rank,
                  concat("rank ", failure_->rank, " failed: ", failure_->why),
                  failure_->exit_code);
}

void Engine::fail(const std::string& why, int exit_code) {
  break_down({rank_, why, exit_code});
}

void Engine::post_job(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  queued_ = true;
  work_.notify_one();
}

void Engine::run_blocking(const std::string& what,
                          const std::function<void()>& body) {
  check();
  bool done = false;
  std::exception_ptr error;
  post_job([&] {
    try {
      Watchdog watchdog(who_, what, options_.init_timeout_s);
      body();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard lock(mutex_);
    done = true;
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done; });  // bounded by the watchdog
  if (error) std::rethrow_exception(error);
}

void Engine::set_activity(const std::string& activity) {
  std::lock_guard lock(mutex_);
  activity_ = activity;
}

void Engine::note_call(Channel& channel, const Call& call) {
  std::lock_guard lock(mutex_);
  ++channel.noted.calls;
  channel.noted.last = call;
  channel.noted.time = Clock::now();
}

std::string Engine::name(const Operation& op) const {
  std::lock_guard lock(mutex_);
  return concat("rank ", op.channel_.rank, "/", op.channel_.size, " on ", host_,
                ", ", activity_, activity_.empty() ? "" : ", ", op.call_.text(),
                ", call ", op.number_);
}

std::string Engine::who_is_missing(const Channel& channel, bool noted,
                                   const Call& call, uint64_t number) {
  std::lock_guard one_at_a_time(diagnosing_);
  Notice question;
  question.kind = Notice::question;
  question.from = rank_;
  question.noted = noted;
  question.channel = channel.id;
  question.call = number;
  question.set_text(call.text());
  std::unique_lock lock(mutex_);
  question.question_number = ++question_;
  std::fill(answers_.begin(), answers_.end(), std::nullopt);
  jobs_.push_back([this, question, ranks = channel.world] {
    for (int r : ranks)
      if (r != rank_) send_notice(r, question);
  });
  queued_ = true;
  work_.notify_one();
  auto answered = [&](int r) {
    return r == rank_ || answers_[static_cast<size_t>(r)].has_value();
  };
  changed_.wait_for(lock, ticks(kAnswerSeconds), [&] {
    return std::all_of(channel.world.begin(), channel.world.end(), answered);
  });

  std::vector<int> silent;
  std::string text;
  for (int r = 0; r < channel.size; ++r) {
    const int world = channel.world[static_cast<size_t>(r)];
    if (!answered(world)) {
      silent.push_back(r);
    } else if (world != rank_) {
      const std::string& said = *answers_[static_cast<size_t>(world)];
      if (!said.empty()) text += concat("rank ", r, " ", said, "; ");
    }
  }
  if (!silent.empty())
    text += ranks_text(silent) +
            (silent.size() == 1 ? " does not answer; " : " do not answer; ");
  if (text.empty()) return "all ranks have called it";
  text.resize(text.size() - 2);
  return text;
}

void Engine::send_mail(int to, std::string bytes) {
  check_mail(to, size_, bytes);
  check();
  if (to == rank_) {
    std::lock_guard lock(mutex_);
    mail_.push_back({rank_, std::move(bytes)});
    changed_.notify_all();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    ++unsent_;
  }
  post_job([this, to, bytes = std::move(bytes)]() mutable {
    auto out = std::make_unique<Outgoing>();
    out->mail = std::move(bytes);
    out->is_mail = true;
    check(MPI_Isend(out->mail.data(), static_cast<int>(out->mail.size()),
                    MPI_BYTE, to, kMailTag, mail_comm_, &out->request),
          "MPI_Isend");
    outgoing_.push_back(std::move(out));
  });
}

std::optional<Mail> Engine::receive_mail(double seconds) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, ticks(seconds),
                    [&] { return !mail_.empty() || failure_; });
  if (failure_) throw_failure();
  if (mail_.empty()) return std::nullopt;
  Mail mail = std::move(mail_.front());
  mail_.pop_front();
  return mail;
}

// Until MPI has taken all that was sent; the receivers' threads still run,
// since nobody has left.
void Engine::drain_mail() {
  std::unique_lock lock(mutex_);
  const bool drained = changed_.wait_for(lock, ticks(options_.timeout_s), [&] {
    return unsent_ == 0 || failure_;
  });
  lock.unlock();
  if (!drained)
    fail(concat(who_, ": mail not taken in ", seconds_text(options_.timeout_s)),
         kExitFailed);
  check();
}

void Engine::break_down(Failure failure) {
  std::lock_guard lock(mutex_);
  if (failure_) return;
  const bool ours = failure.rank == rank_;
  failure_ = std::move(failure);
  broken_ = true;
  if (ours) jobs_.push_back([this] { tell_failure(); });
  queued_ = true;  // the engine thread lets go of everything
  work_.notify_all();
  changed_.notify_all();
}

// --- the engine thread -------------------------------------------------------

void Engine::serve() {
  for (;;) {
    if (queued_) take_submissions();
    test_requests();
    poll_mail();
    {
      std::lock_guard lock(mutex_);
      if (stop_ && !queued_) return;
    }
    rest();
  }
}

void Engine::take_submissions() {
  std::vector<std::shared_ptr<Operation>> operations;
  std::vector<std::function<void()>> jobs;
  {
    std::lock_guard lock(mutex_);
    operations.swap(submitted_);
    jobs.swap(jobs_);
    queued_ = false;
  }
  last_event_ = Clock::now();
  for (auto& op : operations) {
    Channel& channel = op->channel_;
    channel.queue.push_back(std::move(op));
    if (channel.queue.size() == 1) advance(channel);
  }
  if (broken_) {
    // Requests of a broken job are neither tested nor freed, and what they
    // point to stays: a late message may still arrive.
    for (size_t i = 1; i < owners_.size(); ++i)
      if (owners_[i]) complete(*owners_[i]);
    std::lock_guard lock(mutex_);
    for (auto& weak : channels_)
      if (auto channel = weak.lock())
        for (auto& op : channel->queue) complete(*op);
  }
  for (auto& job : jobs) {
    try {
      job();
    } catch (const Error& e) {
      break_down({rank_, e.what(), e.exit_code()});
    }
  }
}

// Posts phases until one has to be waited for. Operations behind the front one
// start once its last phase is posted: their requests then come in the same
// order on every rank.
void Engine::advance(Channel& channel) {
  try {
    while (!channel.queue.empty() && !broken_) {
      auto op = channel.queue.front();
      if (op->open_ > 0) return;
      const size_t before = requests_.size();
      {
        std::lock_guard lock(op->mutex_);
        if (op->abandoned_) return;  // its data may be gone; see submit()
        op->last_posted_ = op->post(*this, requests_);
      }
      op->open_ = static_cast<int>(requests_.size() - before);
      owners_.resize(requests_.size(), op);
      if (op->last_posted_) {
        channel.queue.pop_front();
        if (op->open_ == 0) complete(*op);
      }
    }
  } catch (const Error& e) {
    break_down({rank_, e.what(), e.exit_code()});
  }
}

void Engine::test_requests() {
  if (torn_down_) return;
  int count = 0;
  const int testable = broken_ ? 1 : static_cast<int>(requests_.size());
  finished_.resize(requests_.size());
  const int code = MPI_Testsome(testable, requests_.data(), &count,
                                finished_.data(), MPI_STATUSES_IGNORE);
  if (code != MPI_SUCCESS && !broken_) {
    try {
      check(code, "MPI_Testsome");
    } catch (const Error& e) {
      break_down({rank_, e.what(), e.exit_code()});
    }
    return;
  }
  std::erase_if(outgoing_, [this](auto& out) {
    int done = 0;
    MPI_Test(&out->request, &done, MPI_STATUS_IGNORE);
    if (done && out->is_mail) {
      std::lock_guard lock(mutex_);
      --unsent_;
      changed_.notify_all();
    }
    return done != 0;
  });
  if (count <= 0) return;
  last_event_ = Clock::now();
  bool noticed = false;
  std::vector<std::shared_ptr<Operation>> idle;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(finished_[static_cast<size_t>(i)]);
    if (at == 0) {
      noticed = true;
      continue;
    }
    auto op = std::move(owners_[at]);
    if (--op->open_ == 0) idle.push_back(std::move(op));
  }
  // Finished requests have become null; close the gaps.
  size_t kept = 1;
  for (size_t i = 1; i < requests_.size(); ++i) {
    if (!owners_[i]) continue;
    requests_[kept] = requests_[i];
    if (kept != i) owners_[kept] = std::move(owners_[i]);
    ++kept;
  }
  requests_.resize(kept);
  owners_.resize(kept);
  for (auto& op : idle) {
    if (op->last_posted_)
      complete(*op);
    else
      advance(op->channel_);
  }
  if (noticed) {
    const Notice notice = *incoming_;
    listen();
    handle_notice(notice);
  }
}

void Engine::complete(Operation& op) {
  std::lock_guard lock(op.mutex_);
  if (op.over_) return;
  op.ok_ = !broken_ && !op.abandoned_;
  if (op.ok_) op.deliver();
  op.over_ = true;
  op.changed_.notify_all();
}

// Spins while something small may finish, then naps in proportion to the time
// waited, so that a wait grows by an eighth at most and costs no core.
void Engine::rest() {
  const auto waited = Clock::now() - last_event_;
  const bool busy =
      requests_.size() > 1 || !outgoing_.empty() || !arriving_.empty();
  using std::chrono::microseconds;
  Clock::duration spin = microseconds(0), longest = microseconds(20000);
  if (busy) {
    spin =
        waiting_ ? microseconds(spare_cores_ ? 2000 : 500) : microseconds(50);
    longest = microseconds(1000);
  } else if (spare_cores_) {
    spin = microseconds(50);
  }
  if (waited < spin) {
    // Giving way may cost a whole time slice on a busy machine.
    if (!own_core_) ::sched_yield();
    return;
  }
  const Clock::duration nap =
      std::clamp<Clock::duration>(waited / 8, microseconds(20), longest);
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, nap, [&] { return queued_ || stop_; });
}

void Engine::poll_mail() {
  if (broken_ || size_ == 1) return;
  int found = 1;
  while (found) {
    MPI_Message message;
    MPI_Status status;
    if (MPI_Improbe(MPI_ANY_SOURCE, kMailTag, mail_comm_, &found, &message,
                    &status) != MPI_SUCCESS ||
        !found)
      break;
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    auto in = std::make_unique<Incoming>();
    in->mail.from = status.MPI_SOURCE;
    in->mail.bytes.resize(static_cast<size_t>(size));
    MPI_Imrecv(in->mail.bytes.data(), size, MPI_BYTE, &message, &in->request);
    arriving_.push_back(std::move(in));
    last_event_ = Clock::now();
  }
  if (arriving_.empty()) return;
  // In order per sender: one that hangs half way holds up only its own.
  std::vector<int> held;
  std::erase_if(arriving_, [&](auto& in) {
    int done = 0;
    if (std::find(held.begin(), held.end(), in->mail.from) == held.end())
      MPI_Test(&in->request, &done, MPI_STATUS_IGNORE);
    if (!done) {
      held.push_back(in->mail.from);
      return false;
    }
    std::lock_guard lock(mutex_);
    mail_.push_back(std::move(in->mail));
    changed_.notify_all();
    return true;
  });
}

void Engine::listen() {
  check(MPI_Irecv(incoming_.get(), sizeof(Notice), MPI_BYTE, MPI_ANY_SOURCE,
                  kNoticeTag, notice_comm_, &requests_[0]),
        "MPI_Irecv");
}

void Engine::send_notice(int to, const Notice& notice) {
  auto out = std::make_unique<Outgoing>();
  out->notice = notice;
  // A peer that cannot be reached cannot be told.
  if (MPI_Isend(&out->notice, sizeof(Notice), MPI_BYTE, to, kNoticeTag,
                notice_comm_, &out->request) == MPI_SUCCESS)
    outgoing_.push_back(std::move(out));
}

void Engine::tell_failure() {
  Notice notice;
  notice.kind = Notice::failure;
  notice.from = rank_;
  {
    std::lock_guard lock(mutex_);
    notice.exit_code = failure_->exit_code;
    notice.set_text(failure_->why);
  }
  for (int r = 0; r < size_; ++r)
    if (r != rank_) send_notice(r, notice);
}

void Engine::handle_notice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::failure:
      break_down({notice.from, notice.text, notice.exit_code});
      return;
    case Notice::informed: {
      std::lock_guard lock(mutex_);
      ++informed_;
      changed_.notify_all();
      return;
    }
    case Notice::question:
      answer(notice);
      return;
    case Notice::reply: {
      std::lock_guard lock(mutex_);
      if (notice.question_number == question_)
        answers_[static_cast<size_t>(notice.from)] = notice.text;
      changed_.notify_all();
      return;
    }
  }
}

void Engine::answer(const Notice& question) {
  std::string text = "does not have that communicator";
  {
    std::lock_guard lock(mutex_);
    for (auto& weak : channels_) {
      auto channel = weak.lock();
      if (!channel || channel->id != question.channel) continue;
      text = compare_calls(question.noted ? channel->noted : channel->called,
                           question.text, question.call);
    }
    if (!text.empty() && !activity_.empty())
      text = concat("(", activity_, ") ", text);
  }
  Notice reply;
  reply.kind = Notice::reply;
  reply.from = rank_;
  reply.question_number = question.question_number;
  reply.set_text(text);
  send_notice(question.from, reply);
}

}  // namespace protean::mpi
