// What other threads call of the engine.
#include <algorithm>
#include <bit>
#include <utility>

#include "comm/mpi/engine.h"
#include "comm/mpi/engine_messages.h"
#include "comm/watchdog.h"

namespace protean::mpi {
namespace {

constexpr double kAnswerSeconds = 1;  // for ranks to say what they are doing
// How long a rank that waits in vain leaves the question to ranks below it.
constexpr double kTurnSeconds = 2.5;

// When all wait for one, all of them time out at once. Rank 0 asks first; where
// it is lost itself, rank 1 next, then ranks 2 and 3, 4 to 7, ...: in place of
// every rank's question to every other one.
double turn_seconds(int rank) {
  return kTurnSeconds * std::bit_width(static_cast<unsigned>(rank));
}

}  // namespace

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
    if (!told_within(turn_seconds(op.channel_.rank)))
      fail(concat(name(op), ": not done in ", elapsed, "; ",
                  who_is_missing(op.channel_, false, op.call_, op.number_)),
           kExitFailed);
  }
  if (!op.ok_ || !in_time) check();
}

bool Engine::told_within(double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, ticks(seconds),
                           [&] { return broken_.load(); });
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

}  // namespace protean::mpi
