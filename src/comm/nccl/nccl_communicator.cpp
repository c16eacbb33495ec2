#include "comm/nccl/nccl_communicator.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

#include "protean/comm/preflight.h"
#include "protean/comm/rank_gpu.h"
#include "protean/core/clock.h"
#include "protean/core/log.h"
#include "protean/core/quiet_thread.h"

#include "comm/call.h"
#include "comm/call_board.h"
#include "comm/launcher.h"
#include "comm/recorded.h"
#include "comm/watchdog.h"

namespace protean::nccl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kAbortSeconds = 10;  // for ncclCommAbort and ncclCommDestroy

// Spins while something short may end, then sleeps an eighth of the wait so
// far.
void rest(Clock::time_point started) {
  using std::chrono::microseconds;
  const auto waited = Clock::now() - started;
  if (waited < microseconds(500)) {
    ::sched_yield();
    return;
  }
  std::this_thread::sleep_for(
      std::min<Clock::duration>(waited / 8, microseconds(1000)));
}

// Runs what may hang on a thread of its own. False: it does; it is left behind.
bool ends_in_time(double seconds, std::function<void()> body) {
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
  };
  auto state = std::make_shared<State>();
  start_quiet_thread([state, body = std::move(body)] {
    body();
    std::lock_guard lock(state->mutex);
    state->done = true;
    state->changed.notify_all();
  }).detach();
  std::unique_lock lock(state->mutex);
  return state->changed.wait_for(lock, std::chrono::duration<double>(seconds),
                                 [&] { return state->done; });
}

// A call whose NCCL operation has been issued.
struct Pending {
  Call call;
  uint64_t number = 0;
  Clock::time_point started = Clock::now();
  Event event = nullptr;  // recorded behind the operation
};

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(const Api& api, std::unique_ptr<Communicator> control,
                   const CommOptions& options, int device)
      : api_(api),
        control_(std::move(control)),
        board_(call_board_of(*control_)),
        options_(options),
        device_(device) {}
  ~NcclCommunicator() override;

  // Collective; throws on all ranks or on none.
  void start();

  int rank() const override { return control_->rank(); }
  int size() const override { return control_->size(); }
  const char* backend() const override { return "nccl"; }
  bool on_device() const override { return true; }

  void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                  SumOrder order) override {
    wait(issue_all_reduce(data, count, type, op, order));
  }
  std::unique_ptr<CommRequest> start_all_reduce(void* data, size_t count,
                                                DType type, ReduceOp op,
                                                SumOrder order) override;
  void broadcast(void* data, size_t bytes, int root) override {
    check_root(root, size());
    wait(issue(
        {.kind = CallKind::broadcast, .count = bytes, .root = root},
        [&] { return api_.broadcast(data, bytes, root, comm_, stream_); }));
  }
  void all_gather(const void* in, void* out, size_t bytes) override {
    wait(issue({.kind = CallKind::all_gather, .count = bytes}, [&] {
      return api_.all_gather(in, out, bytes, comm_, stream_);
    }));
  }
  void barrier() override {
    wait(issue({}, [&] {
      return api_.all_reduce(flag_, 1, DType::i32, ReduceOp::max, comm_,
                             stream_);
    }));
  }
  std::unique_ptr<Communicator> split(int color, int key) override;
  void check() override {
    try {
      control_->check();
    } catch (...) {
      abort_comm();
      throw;
    }
  }
  void fail(const std::string& why, int exit_code) override {
    control_->fail(why, exit_code);
    abort_comm();
  }
  void set_activity(const std::string& activity) override {
    control_->set_activity(activity);
  }
  void follow_stream(void* cuda_stream) override { followed_ = cuda_stream; }

  bool done(Pending& p);
  void wait(Pending p);

 private:
  template <typename Issue>
  Pending issue(const Call& call, Issue&& body);
  Pending issue_all_reduce(void* data, size_t count, DType type, ReduceOp op,
                           SumOrder order);
  // Until NCCL has taken the operation in; then the stream may be touched.
  void settle(const Pending& p, double seconds);
  void check_nccl(Result result, const Pending& p);
  void check_cuda(int result, const Pending& p);
  void check_time(const Pending& p, double seconds);
  [[noreturn]] void break_down(const std::string& why);
  void abort_comm();
  std::string set_up_device();
  std::string start_here(const UniqueId& id);
  std::string name(const Pending& p) const {
    return concat("rank ", rank(), "/", size(), ", nccl ", p.call.text(),
                  ", call ", p.number);
  }
  Event take_event();
  void shut_down();

  const Api& api_;
  std::unique_ptr<Communicator> control_;
  CallBoard* board_;  // of control; null: it has none
  const CommOptions options_;
  const int device_;
  const int exceptions_ = std::uncaught_exceptions();
  Comm comm_ = nullptr;  // null: not started, or aborted
  Stream stream_ = nullptr;
  Stream followed_ = nullptr;
  Event followed_event_ = nullptr;
  std::vector<Event> events_;  // free
  void* flag_ = nullptr;       // device memory for barriers
  uint64_t calls_ = 0;
};

class NcclRequest final : public CommRequest {
 public:
  NcclRequest(NcclCommunicator& comm, Pending pending)
      : comm_(comm), pending_(pending) {}
  ~NcclRequest() override {
    if (over_ || std::uncaught_exceptions() > exceptions_) return;
    try {
      wait();
    } catch (const std::exception& e) {
      log_error(e.what());
    }
  }
  bool done() override { return over_ || (over_ = comm_.done(pending_)); }
  void wait() override {
    if (!std::exchange(over_, true)) comm_.wait(pending_);
  }

 private:
  NcclCommunicator& comm_;
  Pending pending_;
  bool over_ = false;
  const int exceptions_ = std::uncaught_exceptions();
};

// --- start and end -----------------------------------------------------------

// Every rank's error text; where there is one, all ranks throw it.
void agree_on(Communicator& control, const std::string& error) {
  const auto all = gather_facts(control, {{"error", error}});
  for (size_t r = 0; r < all.size(); ++r)
    if (!all[r][0].second.empty())
      throw AgreedError(concat("nccl: rank ", r, ": ", all[r][0].second),
                        kExitFailed);
}

void NcclCommunicator::start() {
  UniqueId id = {};
  // A rank that failed here would leave the others waiting inside NCCL.
  std::string error = set_up_device();
  if (rank() == 0 && error.empty())
    if (Result r = api_.unique_id(&id); r != Result::success)
      error = "ncclGetUniqueId: " + api_.text(r);
  agree_on(*control_, error);
  control_->broadcast(&id, sizeof id, 0);
  try {
    agree_on(*control_, start_here(id));
  } catch (...) {
    abort_comm();
    throw;
  }
}

// What this rank needs of its device; the error if it fails.
std::string NcclCommunicator::set_up_device() {
  auto cuda = [&](int result, const char* what) {
    return result == kCudaSuccess ? ""
                                  : concat(what, ": ", api_.cuda_text(result));
  };
  std::string error = cuda(api_.set_device(device_), "cudaSetDevice");
  if (error.empty())
    error = cuda(api_.create_stream(&stream_), "cudaStreamCreate");
  if (error.empty())
    error = cuda(api_.create_event(&followed_event_), "cudaEventCreate");
  if (error.empty()) error = cuda(api_.allocate(&flag_, 64), "cudaMalloc");
  return error;
}

// This rank's part; the error if it fails.
std::string NcclCommunicator::start_here(const UniqueId& id) {
  const auto started = Clock::now();
  Result state = api_.init(&comm_, size(), id, rank());
  while (state == Result::in_progress) {
    if (seconds_since(started) > options_.init_timeout_s)
      return concat("communicator not ready in ",
                    seconds_text(options_.init_timeout_s),
                    " (comm.init_timeout_s); is the network interface right "
                    "(NCCL_SOCKET_IFNAME)?");
    try {
      control_->check();
    } catch (const Error& e) {
      return e.what();
    }
    rest(started);
    if (Result r = api_.async_error(comm_, &state); r != Result::success)
      state = r;
  }
  if (state != Result::success)
    return concat("ncclCommInitRankConfig: ", api_.text(state));
  return "";
}

NcclCommunicator::~NcclCommunicator() {
  try {
    shut_down();
  } catch (const std::exception& e) {
    log_error(e.what());
  }
}

// Finalize, which all ranks come to, then destroy; abort where that fails. A
// failed communicator leaves its device memory: freeing waits for the device.
void NcclCommunicator::shut_down() {
  if (!comm_) return;
  if (std::uncaught_exceptions() > exceptions_) return abort_comm();
  try {
    control_->check();
  } catch (const Error&) {
    return abort_comm();  // said where it happened
  }
  const auto started = Clock::now();
  api_.set_device(device_);
  Result state = api_.finalize(comm_);
  while (state == Result::in_progress &&
         seconds_since(started) < options_.init_timeout_s) {
    rest(started);
    if (Result r = api_.async_error(comm_, &state); r != Result::success)
      state = r;
  }
  if (state != Result::success) {
    log_warning(concat("nccl: finalize: ", api_.text(state), " after ",
                       seconds_text(seconds_since(started)), "; aborting"));
    return abort_comm();
  }
  const Comm comm = std::exchange(comm_, nullptr);
  const bool ended =
      ends_in_time(kAbortSeconds, [api = &api_, comm] { api->destroy(comm); });
  if (!ended) {
    log_warning("nccl: ncclCommDestroy does not return; left behind");
    return;
  }
  for (Event e : events_) api_.destroy_event(e);
  api_.destroy_event(followed_event_);
  api_.release(flag_);
  api_.destroy_stream(stream_);
}

void NcclCommunicator::abort_comm() {
  const Comm comm = std::exchange(comm_, nullptr);
  if (!comm) return;
  const bool ended =
      ends_in_time(std::min(kAbortSeconds, options_.init_timeout_s),
                   [api = &api_, comm, device = device_] {
                     api->set_device(device);
                     api->abort(comm);
                   });
  if (!ended) log_warning("nccl: ncclCommAbort does not return; left behind");
}

// --- calls -------------------------------------------------------------------

void NcclCommunicator::break_down(const std::string& why) {
  control_->fail(why, kExitFailed);
  abort_comm();
  check();  // throws: this failure, or an earlier one of a peer
  throw CommError(why);
}

void NcclCommunicator::check_nccl(Result result, const Pending& p) {
  if (result != Result::success && result != Result::in_progress)
    break_down(concat(name(p), ": ", api_.text(result)));
}

void NcclCommunicator::check_cuda(int result, const Pending& p) {
  if (result != kCudaSuccess)
    break_down(concat(name(p), ": ", api_.cuda_text(result)));
}

void NcclCommunicator::check_time(const Pending& p, double seconds) {
  const double waited = seconds_since(p.started);
  if (waited > seconds)
    break_down(
        concat(name(p), ": not done in ", seconds_text(waited),
               board_ ? "; " + board_->who_is_missing(p.call, p.number) : ""));
}

void NcclCommunicator::settle(const Pending& p, double seconds) {
  for (;;) {
    Result state = Result::success;
    check_nccl(api_.async_error(comm_, &state), p);
    check_nccl(state, p);
    if (state == Result::success) return;
    check();
    check_time(p, seconds);
    rest(p.started);
  }
}

template <typename Issue>
Pending NcclCommunicator::issue(const Call& call, Issue&& body) {
  Pending p{.call = call, .number = ++calls_};
  check();
  if (board_) board_->note_call(call);
  if (!comm_) throw CommError(name(p) + ": the communicator was aborted");
  check_cuda(api_.set_device(device_), p);
  check_cuda(api_.record(followed_event_, followed_), p);
  check_cuda(api_.stream_wait(stream_, followed_event_), p);
  if (const Result r = body(); r != Result::success) {
    check_nccl(r, p);
    settle(p, options_.timeout_s);
  }
  p.event = take_event();
  check_cuda(api_.record(p.event, stream_), p);
  return p;
}

Pending NcclCommunicator::issue_all_reduce(void* data, size_t count, DType type,
                                           ReduceOp op, SumOrder order) {
  if (order == SumOrder::by_rank)
    throw ConfigError(
        "sums in rank order are not offered by NCCL; expected comm.reduction = "
        "exact or fast, or comm.backend = mpi");
  return issue({CallKind::all_reduce, count, type, op}, [&] {
    return api_.all_reduce(data, count, type, op, comm_, stream_);
  });
}

std::unique_ptr<CommRequest> NcclCommunicator::start_all_reduce(
    void* data, size_t count, DType type, ReduceOp op, SumOrder order) {
  return std::make_unique<NcclRequest>(
      *this, issue_all_reduce(data, count, type, op, order));
}

bool NcclCommunicator::done(Pending& p) {
  check();
  if (!comm_) throw CommError(name(p) + ": the communicator was aborted");
  const int state = api_.query(p.event);
  if (state == kCudaSuccess) {
    events_.push_back(std::exchange(p.event, nullptr));
    return true;
  }
  if (state != kCudaNotReady) check_cuda(state, p);
  Result nccl_state = Result::success;
  check_nccl(api_.async_error(comm_, &nccl_state), p);
  check_nccl(nccl_state, p);
  check_time(p, options_.timeout_s);
  return false;
}

void NcclCommunicator::wait(Pending p) {
  while (!done(p)) rest(p.started);
}

Event NcclCommunicator::take_event() {
  Event event = nullptr;
  if (!events_.empty()) {
    event = events_.back();
    events_.pop_back();
  } else if (const int r = api_.create_event(&event); r != kCudaSuccess) {
    break_down(concat("rank ", rank(), "/", size(),
                      ", cudaEventCreate: ", api_.cuda_text(r)));
  }
  return event;
}

std::unique_ptr<Communicator> NcclCommunicator::split(int color, int key) {
  auto part = std::make_unique<NcclCommunicator>(
      api_, control_->split(color, key), options_, device_);
  part->start();
  return part;
}

// --- devices -----------------------------------------------------------------

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::unique_ptr<Communicator> make(const Api& api, World& world,
                                   const CommOptions& options) {
  auto own = world.control->split(0, world.control->rank());
  int device = -1;
  agree(*own, [&] {
    int visible = 0;
    if (const int r = api.device_count(&visible); r != kCudaSuccess)
      throw ConfigError("comm.backend = nccl: cudaGetDeviceCount: " +
                        api.cuda_text(r));
    device = rank_gpu(visible, place_of(world));
  });

  // NCCL itself only says "duplicate GPU"; these switches make it accept them.
  const std::string where = concat(host_name(), " GPU ", api.device_id(device),
                                   environment("NCCL_HOSTID"));
  const auto all = gather_facts(*own, {{"device", where}});
  const bool sharing = environment("NCCL_MULTI_RANK_GPU_ENABLE") == "1";
  for (size_t a = 0; a < all.size() && !sharing; ++a)
    for (size_t b = a + 1; b < all.size(); ++b)
      if (all[a][0] == all[b][0])
        throw AgreedError(
            concat("nccl: ranks ", a, " and ", b, " share ", all[a][0].second,
                   "; expected one GPU per rank (srun --gpus-per-task=1, or "
                   "mpirun with at most as many ranks per host as GPUs)"));

  auto comm =
      std::make_unique<NcclCommunicator>(api, std::move(own), options, device);
  comm->start();
  comm->barrier();  // connects; an error belongs here, not in the first step
  return comm;
}

}  // namespace protean::nccl
