// One thread per process that owns every MPI call.
//
// Other threads queue operations and sleep; the thread starts their
// non-blocking form, tests everything that is open, and wakes whoever waits.
// It also keeps a notice channel, a communicator of its own on which ranks tell
// each other that they fail and ask each other what they are doing: since the
// thread never blocks for long, a rank answers while its program computes or
// waits elsewhere.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mpi.h>

#include "protean/comm/world.h"
#include "protean/core/clock.h"

#include "comm/call.h"

namespace protean::mpi {

using Clock = std::chrono::steady_clock;

class Engine;
class Operation;

// One MPI communicator: calls on it start in the order they were queued.
struct Channel {
  MPI_Comm comm = MPI_COMM_NULL;
  uint64_t id = 0;  // the same on all its ranks, different from all others
  int rank = 0;
  int size = 1;
  std::vector<int> world;  // rank here -> rank in the job
  // Engine thread only: queued, the front one perhaps between two phases.
  std::deque<std::shared_ptr<Operation>> queue;
  // Guarded by the engine's mutex.
  Noted called;
  Noted noted;          // calls of a communicator that uses this one as control
  bool left = false;    // a call was left by an exception
  uint64_t splits = 0;  // caller's thread
};

// Memory of the engine, reused from call to call. MPI works on nothing else: a
// call that is given up leaves no pointer into its caller's memory, and what a
// late message writes to is still there.
class Scratch {
 public:
  Scratch() = default;
  Scratch(Engine& engine, size_t bytes);
  ~Scratch();
  Scratch(Scratch&& other) noexcept { swap(other); }
  Scratch& operator=(Scratch&& other) noexcept {
    swap(other);
    return *this;
  }
  char* data() const { return data_.get(); }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class Engine;
  void swap(Scratch& other) {
    std::swap(engine_, other.engine_);
    std::swap(capacity_, other.capacity_);
    std::swap(data_, other.data_);
  }
  Engine* engine_ = nullptr;
  size_t capacity_ = 0;
  std::unique_ptr<char[]> data_;
};

// A collective from queue to end. Derived classes post its MPI requests.
class Operation {
 public:
  Operation(std::shared_ptr<Channel> channel, const Call& call)
      : keep_(std::move(channel)), channel_(*keep_), call_(call) {}
  virtual ~Operation() = default;

  // Engine thread, while the caller has not left: posts the next phase, returns
  // whether it was the last. Nothing posted: the phase is over.
  virtual bool post(Engine& engine, std::vector<MPI_Request>& requests) = 0;
  // Engine thread, after the last phase, while the caller has not left: results
  // to where they belong.
  virtual void deliver() {}

  Channel& channel() const { return channel_; }
  const Call& call() const { return call_; }

 private:
  std::shared_ptr<Channel> keep_;

 protected:
  Channel& channel_;
  const Call call_;

 private:
  friend class Engine;
  uint64_t number_ = 0;
  Clock::time_point started_ = Clock::now();
  // Engine thread only.
  int open_ = 0;
  bool last_posted_ = false;
  // Shared by the caller and the engine thread.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> over_{false};  // done or failed
  bool ok_ = false;
  bool abandoned_ = false;  // the caller has left, its memory is not ours
};

class Engine {
 public:
  // MPI_Init_thread and the notice channel, under the watchdog.
  explicit Engine(const CommOptions& options);
  // finish() or abort() come first.
  ~Engine();

  const std::shared_ptr<Channel>& world() const { return world_; }
  int local_rank() const { return local_rank_; }
  int local_size() const { return local_size_; }
  const std::string& library_version() const { return library_version_; }
  // As MPI granted it: "serialized" or "multiple".
  const char* thread_level() const;
  const CommOptions& options() const { return options_; }

  std::shared_ptr<Channel> add_channel(MPI_Comm comm, uint64_t id,
                                       std::vector<int> world, int rank);
  void remove_channel(Channel& channel);
  void submit(std::shared_ptr<Operation> op);
  // Until done or the deadline; throws CommError.
  void wait(Operation& op);
  // Whether it is done; throws CommError once the job is broken.
  bool done(Operation& op);
  // Throws CommError once the job is broken.
  void check();
  // The caller leaves without waiting, because of an exception; the channel is
  // of no more use.
  void abandon(Operation& op);
  // Tells every rank; the first failure counts, here as there.
  void fail(const std::string& why, int exit_code);
  void set_activity(const std::string& activity);
  void note_call(Channel& channel, const Call& call);
  // Asks the other ranks of the channel where they are: on the channel itself,
  // or on the communicator whose calls are noted there.
  std::string who_is_missing(const Channel& channel, bool noted,
                             const Call& call, uint64_t number);
  void send_mail(int to, std::string bytes);
  std::optional<Mail> receive_mail(double seconds);
  // Runs on the engine thread and returns when done; for calls that block.
  void run_blocking(const std::string& what, const std::function<void()>& body);

  // All ranks come, then MPI_Finalize. Throws CommError if they do not.
  void finish();
  // Fails the job if nobody has, waits until all ranks know or the grace is
  // over, ends the job by MPI_Abort.
  [[noreturn]] void abort(const std::string& why, int exit_code);

  // Throws CommError for any code but MPI_SUCCESS.
  void check(int code, const char* function) const;

 private:
  struct Failure {
    int rank;
    std::string why;
    int exit_code;
  };
  struct Notice;
  struct Outgoing;
  struct Incoming;

  // Engine thread.
  void thread_main();
  void initialise();
  void serve();
  void take_submissions();
  void advance(Channel& channel);
  void test_requests();
  void complete(Operation& op);
  void listen();
  void send_notice(int to, const Notice& notice);
  void handle_notice(const Notice& notice);
  void answer(const Notice& question);
  void tell_failure();
  void poll_mail();
  void rest();
  void finalise();

  friend class Scratch;
  // Whether the job is broken by then; returns at once when it is.
  bool told_within(double seconds);
  void drain_mail();
  void break_down(Failure failure);
  void throw_failure() const;  // with mutex_ held and a failure
  // "rank 0/4 on host, step 7, all_reduce(sum, f32[10]), call 3"
  std::string name(const Operation& op) const;
  void post_job(std::function<void()> job);

  std::mutex pool_mutex_;
  std::vector<Scratch> pool_;  // without engine_: they are at home
  const CommOptions options_;
  std::string host_;
  std::string who_;  // for the watchdog: "rank 1/4 on host"
  int rank_ = 0;
  int size_ = 1;
  std::string library_version_;  // first line
  int thread_level_ = 0;
  int local_rank_ = 0;
  int local_size_ = 1;
  bool own_core_ = false;     // one core per rank of this host
  bool spare_cores_ = false;  // one per thread: spinning takes from nobody
  std::shared_ptr<Channel> world_;

  // Engine thread only. Requests and owners in step; [0] is the next notice.
  MPI_Comm notice_comm_ = MPI_COMM_NULL;
  std::vector<MPI_Request> requests_;
  std::vector<std::shared_ptr<Operation>> owners_;
  std::vector<int> finished_;
  std::unique_ptr<Notice> incoming_;
  MPI_Comm mail_comm_ = MPI_COMM_NULL;
  std::vector<std::unique_ptr<Outgoing>> outgoing_;
  std::vector<std::unique_ptr<Incoming>> arriving_;  // in the order of arrival
  Clock::time_point last_event_ = Clock::now();
  bool torn_down_ = false;

  std::atomic<bool> queued_{false};  // submissions or jobs
  std::atomic<bool> broken_{false};  // failure_ is set
  std::atomic<int> waiting_{0};      // threads in wait()
  mutable std::mutex mutex_;
  std::condition_variable work_;     // wakes the engine thread
  std::condition_variable changed_;  // wakes the others
  // Guarded by mutex_.
  std::vector<std::shared_ptr<Operation>> submitted_;
  std::vector<std::function<void()>> jobs_;
  std::vector<std::weak_ptr<Channel>> channels_;
  std::optional<Failure> failure_;
  int informed_ = 0;  // ranks that have said that they know of our failure
  uint32_t question_ = 0;
  std::vector<std::optional<std::string>> answers_;  // per rank of the job
  std::string activity_;
  std::deque<Mail> mail_;
  int unsent_ = 0;  // mail that MPI has not taken yet
  bool ready_ = false;
  bool stop_ = false;
  bool ended_ = false;
  std::exception_ptr start_error_;

  std::mutex diagnosing_;
  std::thread thread_;
};

}  // namespace protean::mpi
