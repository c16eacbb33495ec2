#include "support/fake_nccl.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "comm/nccl/nccl_communicator.h"
#include "comm/reduce.h"
#include "support/pretend_memory.h"

namespace protean {

using nccl::Result;

namespace {

// Values of cudaError_t.
constexpr int kNoDriver = 35;  // too old a one, too
constexpr int kInvalidDevice = 101;

}  // namespace

struct FakeNccl::Meeting {
  std::vector<const void*> in;
  std::vector<void*> out;
  int count = 0;
  bool done = false;
};

struct FakeNccl::Group {
  int size = 0;
  std::map<int, std::shared_ptr<Meeting>> meetings;  // by call
};

struct FakeNccl::FakeComm {
  std::shared_ptr<Group> group;
  int owner = 0;  // the rank whose faults count
  int rank = 0;   // in the group
  int calls = 0;
  int polls_left = 0;  // in_progress answers still to give
  bool hung = false;
  Result state = Result::success;
  bool finalized = false;
  bool gone = false;
};

// What was issued on it, in order.
struct FakeNccl::FakeStream {
  struct Item {
    std::shared_ptr<Meeting> meeting;
    bool stuck = false;
    bool cuda_error = false;
  };
  std::vector<Item> items;
  FakeComm* busy = nullptr;  // the communicator last used on it
};

struct FakeNccl::FakeEvent {
  std::vector<FakeStream::Item> behind;
};

FakeNccl::FakeNccl(int ranks, int devices)
    : faults_(static_cast<size_t>(ranks)),
      api_(static_cast<size_t>(ranks)),
      logs_(static_cast<size_t>(ranks)),
      devices_(devices) {
  for (int r = 0; r < ranks; ++r) fill(api_[static_cast<size_t>(r)], r);
}

FakeNccl::~FakeNccl() { release(); }

void FakeNccl::release() {
  std::unique_lock lock(mutex_);
  released_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return hanging_ == 0; });
}

int FakeNccl::aborted() const {
  std::lock_guard lock(mutex_);
  return aborted_;
}
int FakeNccl::destroyed() const {
  std::lock_guard lock(mutex_);
  return destroyed_;
}
int FakeNccl::live_objects() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(live_.size());
}
std::vector<std::string> FakeNccl::violations() const {
  std::lock_guard lock(mutex_);
  return violations_;
}
std::vector<std::string> FakeNccl::log(int rank) const {
  std::lock_guard lock(mutex_);
  return logs_[static_cast<size_t>(rank)];
}

void FakeNccl::note(int rank, const char* what) {
  logs_[static_cast<size_t>(rank)].push_back(what);
}

int& FakeNccl::current_device() {
  thread_local int device = 0;
  return device;
}

bool FakeNccl::check_memory(const char* call, const void* p, size_t bytes) {
  if (bytes == 0) return true;
  if (pretend::on_device(p) && pretend::index_of(p) == current_device())
    return true;
  std::lock_guard lock(mutex_);
  violations_.push_back(concat(
      call, " was given ",
      pretend::on_device(p) ? concat("memory of device ", pretend::index_of(p))
                            : std::string("host memory"),
      " on device ", current_device()));
  return false;
}

Result FakeNccl::issue(int rank, void* comm_, void* stream_, const char* name,
                       const void* in, void* out,
                       std::function<void(Meeting&)> work) {
  std::lock_guard lock(mutex_);
  note(rank, name);
  auto& comm = *static_cast<FakeComm*>(comm_);
  auto& stream = *static_cast<FakeStream*>(stream_);
  const Faults& f = faults(comm.owner);
  if (comm.gone) violations_.push_back("a call after abort or destroy");
  if (comm.polls_left > 0) violations_.push_back("a call while in progress");
  const int call = ++comm.calls;
  if (f.call_fails_at == call) return Result::internal_error;
  if (f.remote_error_at && call >= f.remote_error_at)
    comm.state = Result::remote_error;
  auto& m = comm.group->meetings[call];
  if (!m) {
    m = std::make_shared<Meeting>();
    m->in.resize(static_cast<size_t>(comm.group->size));
    m->out.resize(m->in.size());
  }
  m->in[static_cast<size_t>(comm.rank)] = in;
  m->out[static_cast<size_t>(comm.rank)] = out;
  stream.items.push_back({m, f.stuck_at == call, f.cuda_error_at == call});
  stream.busy = &comm;
  if (++m->count == comm.group->size) {
    work(*m);
    m->done = true;
  }
  comm.polls_left = f.in_progress;
  return comm.polls_left > 0 ? Result::in_progress : Result::success;
}

void FakeNccl::fill(nccl::Api& api, int rank) {
  api.unique_id = [this, rank](nccl::UniqueId* id) {
    std::lock_guard lock(mutex_);
    note(rank, "unique_id");
    std::memset(id, 0, sizeof *id);
    std::snprintf(id->bytes, sizeof id->bytes, "id-%d", ++ids_);
    return Result::success;
  };
  api.init = [this, rank](nccl::Comm* out, int ranks, const nccl::UniqueId& id,
                          int group_rank) {
    std::lock_guard lock(mutex_);
    note(rank, "init");
    const Faults& f = faults(rank);
    if (f.init_fails) return Result::system_error;
    auto& group = groups_[id.bytes];
    if (!group) group = std::make_shared<Group>();
    group->size = ranks;
    auto comm = std::make_unique<FakeComm>();
    comm->group = group;
    comm->owner = rank;
    comm->rank = group_rank;
    comm->hung = f.init_hangs;
    comm->polls_left = f.in_progress;
    *out = comm.get();
    comms_.push_back(std::move(comm));
    return f.init_hangs || f.in_progress ? Result::in_progress
                                         : Result::success;
  };
  api.async_error = [this](nccl::Comm c, Result* state) {
    std::lock_guard lock(mutex_);
    auto& comm = *static_cast<FakeComm*>(c);
    if (comm.hung || comm.polls_left > 0) {
      --comm.polls_left;
      *state = Result::in_progress;
    } else {
      *state = comm.state;
    }
    return Result::success;
  };
  api.finalize = [this, rank](nccl::Comm c) {
    std::lock_guard lock(mutex_);
    note(rank, "finalize");
    auto& comm = *static_cast<FakeComm*>(c);
    const Faults& f = faults(comm.owner);
    if (f.finalize_fails) return Result::internal_error;
    comm.finalized = true;
    comm.polls_left = f.in_progress;
    return f.in_progress ? Result::in_progress : Result::success;
  };
  api.destroy = [this](nccl::Comm c) {
    std::lock_guard lock(mutex_);
    auto& comm = *static_cast<FakeComm*>(c);
    if (!comm.finalized) violations_.push_back("destroy before finalize");
    comm.gone = true;
    ++destroyed_;
    return Result::success;
  };
  api.abort = [this](nccl::Comm c) {
    std::unique_lock lock(mutex_);
    auto& comm = *static_cast<FakeComm*>(c);
    if (faults(comm.owner).abort_hangs) {
      ++hanging_;
      changed_.wait(lock, [&] { return released_; });
      --hanging_;
      changed_.notify_all();
    }
    if (comm.gone) violations_.push_back("abort after abort or destroy");
    comm.gone = true;
    ++aborted_;
    return Result::success;
  };
  api.all_reduce = [this, rank](void* device_data, size_t count, DType type,
                                ReduceOp op, nccl::Comm c, nccl::Stream s) {
    if (!check_memory("all_reduce", device_data, count))
      return Result::invalid_argument;
    void* const data = pretend::host_of(device_data);
    return issue(rank, c, s, "all_reduce", data, data, [=](Meeting& m) {
      const size_t bytes = count * size_of(type);
      std::vector<char> sum(bytes);
      if (bytes) std::memcpy(sum.data(), m.in[0], bytes);
      for (size_t r = 1; r < m.in.size(); ++r)
        reduce_into(sum.data(), m.in[r], count, type, op);
      for (void* out : m.out)
        if (bytes) std::memcpy(out, sum.data(), bytes);
    });
  };
  api.broadcast = [this, rank](void* device_data, size_t bytes, int root,
                               nccl::Comm c, nccl::Stream s) {
    if (!check_memory("broadcast", device_data, bytes))
      return Result::invalid_argument;
    void* const data = pretend::host_of(device_data);
    return issue(rank, c, s, "broadcast", data, data, [=](Meeting& m) {
      const void* from = m.in[static_cast<size_t>(root)];
      for (void* out : m.out)
        if (out != from && bytes) std::memcpy(out, from, bytes);
    });
  };
  api.all_gather = [this, rank](const void* device_in, void* device_out,
                                size_t bytes, nccl::Comm c, nccl::Stream s) {
    if (!check_memory("all_gather", device_in, bytes) ||
        !check_memory("all_gather", device_out, bytes))
      return Result::invalid_argument;
    const void* const in = pretend::host_of(device_in);
    void* const out = pretend::host_of(device_out);
    return issue(rank, c, s, "all_gather", in, out, [=](Meeting& m) {
      for (size_t r = 0; r < m.in.size(); ++r)
        for (void* to : m.out) {
          char* at = static_cast<char*>(to) + r * bytes;
          if (at != m.in[r] && bytes) std::memcpy(at, m.in[r], bytes);
        }
    });
  };
  api.text = [](Result r) {
    return r == Result::remote_error
               ? std::string(
                     "remote process exited or there was a network "
                     "error")
               : concat("nccl result ", static_cast<int>(r));
  };

  api.device_count = [this, rank](int* n) {
    *n = devices_;
    return faults(rank).count_fails ? kNoDriver : nccl::kCudaSuccess;
  };
  api.set_device = [this, rank](int device) {
    if (faults(rank).set_device_fails) return kInvalidDevice;
    current_device() = device;
    return nccl::kCudaSuccess;
  };
  api.device_id = [](int device) { return concat("bus:", device); };
  // What the caller leaves behind, as after an abort, goes with the fake.
  auto created = [this](std::shared_ptr<void> object, void** out) {
    std::lock_guard lock(mutex_);
    *out = object.get();
    live_[*out] = std::move(object);
    return nccl::kCudaSuccess;
  };
  auto gone = [this](void* object) {
    std::lock_guard lock(mutex_);
    if (live_.erase(object) == 0)
      violations_.push_back("an object freed that is not alive");
    return nccl::kCudaSuccess;
  };
  api.create_stream = [=](nccl::Stream* s) {
    return created(std::make_shared<FakeStream>(), s);
  };
  api.destroy_stream = gone;
  api.create_event = [=](nccl::Event* e) {
    return created(std::make_shared<FakeEvent>(), e);
  };
  api.destroy_event = gone;
  api.allocate = [=](void** p, size_t n) {
    return created(std::shared_ptr<void>(pretend::allocate(n, current_device()),
                                         pretend::release),
                   p);
  };
  api.release = gone;
  api.copy = [](void* to, const void* from, size_t n) {
    if (n) std::memcpy(pretend::host_of(to), pretend::host_of(from), n);
    return nccl::kCudaSuccess;
  };
  api.record = [this, rank](nccl::Event e, nccl::Stream s) {
    std::lock_guard lock(mutex_);
    note(rank, s ? "record" : "record followed");
    auto& event = *static_cast<FakeEvent*>(e);
    event.behind.clear();
    if (!s) return nccl::kCudaSuccess;  // the default stream: nothing queued
    auto& stream = *static_cast<FakeStream*>(s);
    if (stream.busy && stream.busy->polls_left > 0)
      violations_.push_back("a stream touched while in progress");
    std::erase_if(stream.items, [](auto& item) {
      return item.meeting->done && !item.stuck && !item.cuda_error;
    });
    event.behind = stream.items;
    return nccl::kCudaSuccess;
  };
  api.stream_wait = [this, rank](nccl::Stream, nccl::Event) {
    std::lock_guard lock(mutex_);
    note(rank, "stream_wait");
    return nccl::kCudaSuccess;
  };
  api.query = [this](nccl::Event e) {
    std::lock_guard lock(mutex_);
    for (const auto& item : static_cast<FakeEvent*>(e)->behind) {
      if (item.cuda_error) return 700;
      if (item.stuck || !item.meeting->done) return nccl::kCudaNotReady;
    }
    return nccl::kCudaSuccess;
  };
  api.cuda_text = [](int r) {
    return r == kNoDriver ? std::string(
                                "CUDA driver version is insufficient for CUDA "
                                "runtime version")
                          : concat("cuda error ", r);
  };
}

std::unique_ptr<Communicator> FakeNccl::connect(World& world) const {
  return nccl::make(api(world.control->rank()), world, {});
}

void install_fake_nccl(std::function<const FakeNccl&()> make) {
  nccl::replace_loader([make]() -> const nccl::Api& { return make().api(0); });
}

}  // namespace protean
