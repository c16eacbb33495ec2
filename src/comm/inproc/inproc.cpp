#include "protean/comm/inproc.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "protean/core/log.h"

#include "comm/call.h"
#include "comm/call_board.h"
#include "comm/reduce.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

// What all ranks of one job share, over all communicators split from it.
struct Job {
  struct Failure {
    int rank;
    std::string why;
    int exit_code;
  };

  Job(int ranks, double timeout)
      : timeout_s(timeout), activity(ranks), mail(ranks) {}

  const double timeout_s;
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex; per rank of the job.
  std::optional<Failure> failure;
  std::vector<std::string> activity;
  std::vector<std::deque<Mail>> mail;

  // The rest: with the mutex held.
  void fail(int rank, const std::string& why, int exit_code) {
    if (!failure) failure = Failure{rank, why, exit_code};
    changed.notify_all();
  }
  void check(int rank) const {
    if (!failure) return;
    if (failure->rank == rank)
      throw CommError(failure->why, failure->exit_code);
    throw PeerError(failure->rank,
                    concat("rank ", failure->rank, " failed: ", failure->why),
                    failure->exit_code);
  }
};

struct Group;

// Where the ranks of a group meet for one call: the last one to come does the
// work for all.
struct Meeting {
  explicit Meeting(int ranks) : in(ranks), out(ranks), came(ranks) {}

  Call call;
  int first = 0;  // the rank that came first, whose call counts
  std::vector<const void*> in;
  std::vector<void*> out;
  std::vector<bool> came;
  int count = 0;
  bool working = false;
  bool done = false;
  int left = -1;  // a rank that an exception took away; its memory is gone
  // split: what each rank gets.
  std::vector<std::pair<std::shared_ptr<Group>, int>> groups;
};

struct Group {
  Group(std::shared_ptr<Job> j, std::vector<int> ranks)
      : job(std::move(j)),
        world(std::move(ranks)),
        calls(world.size(), 0),
        noted(world.size()) {}
  int size() const { return static_cast<int>(world.size()); }

  std::shared_ptr<Job> job;
  const std::vector<int> world;  // rank in the group -> rank in the job
  std::vector<uint64_t> calls;   // per rank: number of its last call, from 1
  std::vector<Noted> noted;      // per rank: calls elsewhere
  std::map<uint64_t, std::shared_ptr<Meeting>> meetings;  // not all have come
};

void do_all_reduce(Meeting& m) {
  constexpr size_t kBlock = 32 << 10;  // bytes; stays in the first cache
  const size_t bytes = m.call.count * size_of(m.call.type);
  alignas(64) char sum[kBlock];
  for (size_t at = 0; at < bytes; at += kBlock) {
    const size_t n = std::min(kBlock, bytes - at);
    std::memcpy(sum, static_cast<const char*>(m.in[0]) + at, n);
    for (size_t r = 1; r < m.in.size(); ++r)
      reduce_into(sum, static_cast<const char*>(m.in[r]) + at,
                  n / size_of(m.call.type), m.call.type, m.call.op);
    for (void* out : m.out) std::memcpy(static_cast<char*>(out) + at, sum, n);
  }
}

void do_all_gather(Meeting& m) {
  for (size_t r = 0; r < m.in.size(); ++r)
    for (void* out : m.out) {
      char* to = static_cast<char*>(out) + r * m.call.count;
      if (to != m.in[r] && m.call.count) std::memcpy(to, m.in[r], m.call.count);
    }
}

void do_broadcast(Meeting& m) {
  const void* from = m.in[static_cast<size_t>(m.call.root)];
  for (void* out : m.out)
    if (out != from && m.call.count) std::memcpy(out, from, m.call.count);
}

// in: two ints per rank, color and key.
void do_split(Meeting& m, const Group& parent) {
  struct Member {
    int color, key, rank;
    auto operator<=>(const Member&) const = default;
  };
  std::vector<Member> members;
  for (int r = 0; r < parent.size(); ++r) {
    auto* v = static_cast<const int*>(m.in[static_cast<size_t>(r)]);
    members.push_back({v[0], v[1], r});
  }
  std::sort(members.begin(), members.end());
  m.groups.resize(members.size());
  for (size_t i = 0; i < members.size();) {
    size_t end = i;
    std::vector<int> world;
    while (end < members.size() && members[end].color == members[i].color)
      world.push_back(parent.world[static_cast<size_t>(members[end++].rank)]);
    auto group = std::make_shared<Group>(parent.job, world);
    for (size_t k = i; k < end; ++k)
      m.groups[static_cast<size_t>(members[k].rank)] = {
          group, static_cast<int>(k - i)};
    i = end;
  }
}

class InprocCommunicator final : public Communicator, public CallBoard {
 public:
  InprocCommunicator(std::shared_ptr<Group> group, int rank)
      : group_(std::move(group)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }
  const char* backend() const override { return "inproc"; }

  void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                  SumOrder order) override {
    run({CallKind::all_reduce, count, type, op, order}, data, data);
  }
  std::unique_ptr<CommRequest> start_all_reduce(void* data, size_t count,
                                                DType type, ReduceOp op,
                                                SumOrder order) override;
  void broadcast(void* data, size_t bytes, int root) override {
    check_root(root, size());
    run({.kind = CallKind::broadcast, .count = bytes, .root = root}, data,
        data);
  }
  void all_gather(const void* in, void* out, size_t bytes) override {
    if (size() == 1) {
      if (in != out && bytes) std::memcpy(out, in, bytes);
      return;
    }
    run({.kind = CallKind::all_gather, .count = bytes}, in, out);
  }
  void barrier() override { run({}, nullptr, nullptr); }
  std::unique_ptr<Communicator> split(int color, int key) override {
    check_color(color);
    if (size() == 1) return std::make_unique<InprocCommunicator>(group_, rank_);
    const int mine[2] = {color, key};
    auto m = run({.kind = CallKind::split}, mine, nullptr);
    auto& [group, rank] = m->groups[static_cast<size_t>(rank_)];
    return std::make_unique<InprocCommunicator>(group, rank);
  }
  void check() override {
    std::lock_guard lock(job().mutex);
    job().check(world_rank());
  }
  void fail(const std::string& why, int exit_code) override {
    std::lock_guard lock(job().mutex);
    job().fail(world_rank(), why, exit_code);
  }

  void set_activity(const std::string& activity) override {
    std::lock_guard lock(job().mutex);
    job().activity[static_cast<size_t>(world_rank())] = activity;
  }
  void note_call(const Call& call) override;
  std::string who_is_missing(const Call& call, uint64_t number) override;

  // Comes to the meeting of this rank's next call; does the work if it is the
  // last to come. Returns at once.
  std::shared_ptr<Meeting> come(const Call& call, const void* in, void* out,
                                uint64_t* number);
  // Until the meeting is done or the deadline passes.
  void wait(Meeting& m, uint64_t number, Clock::time_point started);
  void leave(Meeting& m) {
    std::unique_lock lock(job().mutex);
    job().changed.wait(lock, [&] { return m.done || !m.working; });
    m.left = rank_;
  }
  bool done(const Meeting& m) {
    std::lock_guard lock(job().mutex);
    if (!m.done) job().check(world_rank());
    return m.done;
  }

 private:
  std::shared_ptr<Meeting> run(const Call& call, const void* in, void* out) {
    if (size() == 1) return nullptr;
    const auto started = Clock::now();
    uint64_t number = 0;
    auto m = come(call, in, out, &number);
    wait(*m, number, started);
    return m;
  }
  Job& job() const { return *group_->job; }
  int world_rank() const { return group_->world[static_cast<size_t>(rank_)]; }
  // With the mutex held.
  std::string prefix(const Call& call, uint64_t number) const {
    const std::string& activity =
        job().activity[static_cast<size_t>(world_rank())];
    return concat("rank ", rank_, "/", size(), ", ", activity,
                  activity.empty() ? "" : ", ", call.text(), ", call ", number);
  }
  // "rank 2 (step 7)"; with the mutex held.
  std::string other(int rank) const {
    const auto world =
        static_cast<size_t>(group_->world[static_cast<size_t>(rank)]);
    const std::string& activity = job().activity[world];
    return concat("rank ", rank,
                  activity.empty() ? "" : concat(" (", activity, ")"));
  }

  std::shared_ptr<Group> group_;
  int rank_;
};

class InprocRequest final : public CommRequest {
 public:
  InprocRequest(InprocCommunicator& comm, std::shared_ptr<Meeting> meeting,
                uint64_t number, Clock::time_point started)
      : comm_(comm),
        meeting_(std::move(meeting)),
        number_(number),
        started_(started) {}
  ~InprocRequest() override {
    if (over_) return;
    if (std::uncaught_exceptions() > exceptions_) {
      comm_.leave(*meeting_);  // no wait on the way out of a failure
      return;
    }
    try {
      wait();
    } catch (const std::exception& e) {
      log_error(e.what());
    }
  }
  bool done() override { return over_ || (over_ = comm_.done(*meeting_)); }
  void wait() override {
    if (std::exchange(over_, true)) return;
    comm_.wait(*meeting_, number_, started_);
  }

 private:
  InprocCommunicator& comm_;
  std::shared_ptr<Meeting> meeting_;
  uint64_t number_;
  Clock::time_point started_;
  bool over_ = false;
  const int exceptions_ = std::uncaught_exceptions();
};

class DoneRequest final : public CommRequest {
 public:
  bool done() override { return true; }
  void wait() override {}
};

std::unique_ptr<CommRequest> InprocCommunicator::start_all_reduce(
    void* data, size_t count, DType type, ReduceOp op, SumOrder order) {
  if (size() == 1) return std::make_unique<DoneRequest>();
  const auto started = Clock::now();
  uint64_t number = 0;
  auto m =
      come({CallKind::all_reduce, count, type, op, order}, data, data, &number);
  return std::make_unique<InprocRequest>(*this, std::move(m), number, started);
}

std::shared_ptr<Meeting> InprocCommunicator::come(const Call& call,
                                                  const void* in, void* out,
                                                  uint64_t* number) {
  const auto me = static_cast<size_t>(rank_);
  std::unique_lock lock(job().mutex);
  job().check(world_rank());
  *number = ++group_->calls[me];
  auto& slot = group_->meetings[*number];
  if (!slot) {
    slot = std::make_shared<Meeting>(size());
    slot->call = call;
    slot->first = rank_;
  }
  auto m = slot;
  if (m->call != call) {
    job().fail(world_rank(),
               concat(prefix(call, *number), ": rank ", m->first, " calls ",
                      m->call.text(), " instead"),
               kExitFailed);
    job().check(world_rank());
  }
  if (m->left >= 0) {
    job().fail(group_->world[static_cast<size_t>(m->left)],
               concat("an exception has left ", m->call.text(), ", call ",
                      *number, ", undone"),
               kExitFailed);
    job().check(world_rank());
  }
  m->in[me] = in;
  m->out[me] = out;
  m->came[me] = true;
  if (++m->count < size()) return m;

  group_->meetings.erase(*number);
  m->working = true;
  lock.unlock();  // nobody leaves a meeting that is working
  switch (call.kind) {
    case CallKind::all_reduce:
      do_all_reduce(*m);
      break;
    case CallKind::broadcast:
      do_broadcast(*m);
      break;
    case CallKind::all_gather:
      do_all_gather(*m);
      break;
    case CallKind::split:
      do_split(*m, *group_);
      break;
    case CallKind::barrier:
      break;
  }
  lock.lock();
  m->done = true;
  job().changed.notify_all();
  return m;
}

void InprocCommunicator::wait(Meeting& m, uint64_t number,
                              Clock::time_point started) {
  const auto deadline =
      started + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(job().timeout_s));
  std::unique_lock lock(job().mutex);
  const bool in_time = job().changed.wait_until(
      lock, deadline, [&] { return m.done || (job().failure && !m.working); });
  if (m.done) return;
  if (!in_time && m.working) {
    job().changed.wait(lock, [&] { return m.done; });
    return;
  }
  if (!in_time) {
    std::string missing;
    for (int r = 0; r < size(); ++r)
      if (!m.came[static_cast<size_t>(r)])
        missing += "; " + other(r) + " has not called it";
    const double waited =
        std::chrono::duration<double>(Clock::now() - started).count();
    job().fail(world_rank(),
               concat(prefix(m.call, number), ": not done in ",
                      seconds_text(waited), missing),
               kExitFailed);
  }
  job().check(world_rank());
}

void InprocCommunicator::note_call(const Call& call) {
  std::lock_guard lock(job().mutex);
  Noted& mine = group_->noted[static_cast<size_t>(rank_)];
  ++mine.calls;
  mine.last = call;
}

std::string InprocCommunicator::who_is_missing(const Call& call,
                                               uint64_t number) {
  std::lock_guard lock(job().mutex);
  std::string text;
  for (int r = 0; r < size(); ++r) {
    if (r == rank_) continue;
    const Noted& theirs = group_->noted[static_cast<size_t>(r)];
    const std::string said = compare_calls(theirs, call.text(), number);
    if (!said.empty())
      text += concat(text.empty() ? "" : "; ", other(r), " ", said);
  }
  return text.empty() ? "all ranks have called it" : text;
}

class InprocMailbox final : public Mailbox {
 public:
  InprocMailbox(std::shared_ptr<Job> job, int rank)
      : job_(std::move(job)), rank_(rank) {}
  void send(int to, std::string bytes) override {
    check_mail(to, static_cast<int>(job_->mail.size()), bytes);
    std::lock_guard lock(job_->mutex);
    job_->check(rank_);
    job_->mail[static_cast<size_t>(to)].push_back({rank_, std::move(bytes)});
    job_->changed.notify_all();
  }
  std::optional<Mail> receive(double seconds) override {
    std::unique_lock lock(job_->mutex);
    auto& mine = job_->mail[static_cast<size_t>(rank_)];
    const auto until =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(seconds));
    job_->changed.wait_until(lock, until,
                             [&] { return !mine.empty() || job_->failure; });
    job_->check(rank_);
    if (mine.empty()) return std::nullopt;
    Mail mail = std::move(mine.front());
    mine.pop_front();
    return mail;
  }

 private:
  std::shared_ptr<Job> job_;
  int rank_;
};

}  // namespace

std::vector<InprocRank> make_inproc(int ranks, const CommOptions& options) {
  std::vector<int> world;
  for (int r = 0; r < ranks; ++r) world.push_back(r);
  auto job = std::make_shared<Job>(ranks, options.timeout_s);
  auto group = std::make_shared<Group>(job, std::move(world));
  std::vector<InprocRank> all;
  for (int r = 0; r < ranks; ++r)
    all.push_back({std::make_unique<InprocCommunicator>(group, r),
                   std::make_unique<InprocMailbox>(job, r)});
  return all;
}

}  // namespace protean
