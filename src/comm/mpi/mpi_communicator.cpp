#include "comm/mpi/mpi_communicator.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <tuple>
#include <utility>

#include "protean/core/hash.h"
#include "protean/core/log.h"

#include "comm/call_board.h"
#include "comm/mpi/engine.h"
#include "comm/reduce.h"

namespace protean::mpi {
namespace {

// Up to this size over all ranks, one all-gather beats two phases.
constexpr size_t kGatherBytes = 64 << 10;

MPI_Datatype mpi_type(DType type) {
  switch (type) {
    case DType::u8:
      return MPI_UINT8_T;
    case DType::i32:
      return MPI_INT32_T;
    case DType::i64:
      return MPI_INT64_T;
    case DType::f32:
      return MPI_FLOAT;
    case DType::bf16:
    case DType::f16:
      return MPI_UINT16_T;  // with an operation of our own
    default:
      return MPI_DOUBLE;
  }
}

template <DType Type>
MPI_Op sum_of_halves() {
  static const MPI_Op op = [] {
    MPI_Op made;
    MPI_Op_create(
        [](void* from, void* into, int* count, MPI_Datatype*) {
          reduce_into(into, from, static_cast<size_t>(*count), Type,
                      ReduceOp::sum);
        },
        1, &made);
    return made;
  }();
  return op;
}

MPI_Op mpi_op(ReduceOp op, DType type) {
  if (type == DType::bf16) return sum_of_halves<DType::bf16>();
  if (type == DType::f16) return sum_of_halves<DType::f16>();
  switch (op) {
    case ReduceOp::sum:
      return MPI_SUM;
    case ReduceOp::min:
      return MPI_MIN;
    default:
      return MPI_MAX;
  }
}

// An operation on the caller's buffer, a chunk at a time through memory of the
// engine.
class BufferOperation : public Operation {
 public:
  BufferOperation(std::shared_ptr<Channel> channel, const Call& call,
                  void* data, size_t bytes, size_t chunk)
      : Operation(std::move(channel), call),
        user_(static_cast<char*>(data)),
        bytes_(bytes) {
    const size_t width = size_of(call.type);
    chunk_ = std::max<size_t>(1, std::min(chunk, kLargest) / width) * width;
  }
  void deliver() override { store(); }

 protected:
  static constexpr size_t kLargest = size_t{1} << 30;  // MPI counts are int

  // The next chunk, with the caller's data in it if `fill`.
  void load(Engine& engine, bool fill = true) {
    at_ += size_;
    size_ = std::min(bytes_ - at_, chunk_);
    if (!scratch_) scratch_ = Scratch(engine, size_);
    if (fill) std::memcpy(chunk(), user_ + at_, size_);
  }
  // The chunk's result to the caller.
  void store() {
    if (size_) std::memcpy(user_ + at_, chunk(), size_);
  }
  char* chunk() const { return scratch_.data(); }
  bool last_chunk() const { return at_ + size_ == bytes_; }

  char* user_;
  size_t bytes_;
  size_t chunk_;     // most bytes per chunk
  size_t at_ = 0;    // this chunk
  size_t size_ = 0;  // bytes; 0 before the first one
  Scratch scratch_;
};

class AllReduce final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    store();
    load(engine);
    if (!sent_) sent_ = Scratch(engine, size_);
    std::memcpy(sent_.data(), chunk(), size_);
    MPI_Request request;
    // In place Open MPI takes a binomial tree whatever the size; with two
    // buffers large sums are reduced in parts and gathered.
    engine.check(
        MPI_Iallreduce(sent_.data(), chunk(),
                       static_cast<int>(size_ / size_of(call_.type)),
                       mpi_type(call_.type), mpi_op(call_.op, call_.type),
                       channel_.comm, &request),
        "MPI_Iallreduce");
    requests.push_back(request);
    return last_chunk();
  }

 private:
  Scratch sent_;
};

// Small: everybody gets everything and reduces in rank order.
class GatherReduce final : public Operation {
 public:
  GatherReduce(std::shared_ptr<Channel> channel, const Call& call, void* data,
               size_t bytes)
      : Operation(std::move(channel), call), user_(data), bytes_(bytes) {}
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    all_ = Scratch(engine, bytes_ * static_cast<size_t>(channel_.size));
    std::memcpy(all_.data() + bytes_ * static_cast<size_t>(channel_.rank),
                user_, bytes_);
    MPI_Request request;
    engine.check(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_BYTE, all_.data(),
                                static_cast<int>(bytes_), MPI_BYTE,
                                channel_.comm, &request),
                 "MPI_Iallgather");
    requests.push_back(request);
    return true;
  }
  void deliver() override {
    if (bytes_ == 0) return;
    for (size_t r = 1; r < static_cast<size_t>(channel_.size); ++r)
      reduce_into(all_.data(), all_.data() + r * bytes_, call_.count,
                  call_.type, call_.op);
    std::memcpy(user_, all_.data(), bytes_);
  }

 private:
  void* user_;
  size_t bytes_;
  Scratch all_;
};

// Large: each rank gets its slice of the chunk from all ranks, reduces it in
// rank order and sends the result to all. Chunks change no bit.
class SliceReduce final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    const auto me = static_cast<size_t>(channel_.rank);
    const auto ranks = static_cast<size_t>(channel_.size);
    if (!gathering_) {
      store();
      load(engine);
      if (!slices_) slices_ = Scratch(engine, most_of_slice() * ranks);
      for (size_t r = 0; r < ranks; ++r)
        if (r != me) receive(engine, requests, part(r), slice_bytes(me), r);
      for (size_t r = 0; r < ranks; ++r)
        if (r != me) send(engine, requests, r, r);
      gathering_ = true;
      return false;
    }
    reduce();
    for (size_t r = 0; r < ranks; ++r)
      if (r != me)
        receive(engine, requests, chunk() + start(r), slice_bytes(r), r);
    for (size_t r = 0; r < ranks; ++r)
      if (r != me) send(engine, requests, me, r);
    gathering_ = false;
    return last_chunk();
  }

 private:
  // Messages between two ranks never overtake each other, and every rank posts
  // phases in the same order: one tag is enough.
  static constexpr int kTag = 2;

  // Of rank r's slice in the chunk, bytes.
  size_t start(size_t r) const {
    const size_t width = size_of(call_.type);
    return size_ / width * r / static_cast<size_t>(channel_.size) * width;
  }
  size_t slice_bytes(size_t r) const { return start(r + 1) - start(r); }
  size_t most_of_slice() const {
    const size_t width = size_of(call_.type);
    return (size_ / width / static_cast<size_t>(channel_.size) + 1) * width;
  }
  // My slice as rank r has it.
  char* part(size_t r) const {
    return slices_.data() + r * slice_bytes(static_cast<size_t>(channel_.rank));
  }

  void reduce() {
    const auto me = static_cast<size_t>(channel_.rank);
    const size_t bytes = slice_bytes(me);
    if (bytes == 0) return;
    char* mine = chunk() + start(me);
    const size_t count = bytes / size_of(call_.type);
    if (me == 0) {
      for (size_t r = 1; r < static_cast<size_t>(channel_.size); ++r)
        reduce_into(mine, part(r), count, call_.type, call_.op);
      return;
    }
    std::memcpy(part(me), mine, bytes);
    for (size_t r = 1; r < static_cast<size_t>(channel_.size); ++r)
      reduce_into(part(0), part(r), count, call_.type, call_.op);
    std::memcpy(mine, part(0), bytes);
  }

  void receive(Engine& engine, std::vector<MPI_Request>& requests, void* to,
               size_t bytes, size_t rank) {
    if (bytes == 0) return;
    MPI_Request request;
    engine.check(
        MPI_Irecv(to, static_cast<int>(bytes), MPI_BYTE, static_cast<int>(rank),
                  kTag, channel_.comm, &request),
        "MPI_Irecv");
    requests.push_back(request);
  }
  void send(Engine& engine, std::vector<MPI_Request>& requests, size_t slice,
            size_t rank) {
    if (slice_bytes(slice) == 0) return;
    MPI_Request request;
    engine.check(
        MPI_Isend(chunk() + start(slice), static_cast<int>(slice_bytes(slice)),
                  MPI_BYTE, static_cast<int>(rank), kTag, channel_.comm,
                  &request),
        "MPI_Isend");
    requests.push_back(request);
  }

  bool gathering_ = false;  // else spreading the results
  Scratch slices_;          // mine, from every rank
};

class Broadcast final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    if (!root()) store();
    load(engine, root());
    MPI_Request request;
    engine.check(MPI_Ibcast(chunk(), static_cast<int>(size_), MPI_BYTE,
                            call_.root, channel_.comm, &request),
                 "MPI_Ibcast");
    requests.push_back(request);
    return last_chunk();
  }
  void deliver() override {
    if (!root()) store();
  }

 private:
  bool root() const { return channel_.rank == call_.root; }
};

// A chunk of every rank's part at a time. user_: all parts, this rank's already
// in its place.
class AllGather final : public Operation {
 public:
  AllGather(std::shared_ptr<Channel> channel, const Call& call, void* out,
            size_t chunk)
      : Operation(std::move(channel), call),
        user_(static_cast<char*>(out)),
        chunk_(std::clamp<size_t>(chunk / static_cast<size_t>(channel_.size), 1,
                                  size_t{1} << 30)) {}
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (call_.count == 0) return true;
    store();
    at_ += size_;
    size_ = std::min(call_.count - at_, chunk_);
    if (!all_)
      all_ = Scratch(engine, size_ * static_cast<size_t>(channel_.size));
    const auto me = static_cast<size_t>(channel_.rank);
    std::memcpy(all_.data() + me * size_, user_ + me * call_.count + at_,
                size_);
    MPI_Request request;
    engine.check(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_BYTE, all_.data(),
                                static_cast<int>(size_), MPI_BYTE,
                                channel_.comm, &request),
                 "MPI_Iallgather");
    requests.push_back(request);
    return at_ + size_ == call_.count;
  }
  void deliver() override { store(); }

 private:
  void store() {
    if (size_ == 0) return;
    for (size_t r = 0; r < static_cast<size_t>(channel_.size); ++r)
      if (r != static_cast<size_t>(channel_.rank))
        std::memcpy(user_ + r * call_.count + at_, all_.data() + r * size_,
                    size_);
  }

  char* user_;
  size_t chunk_;     // most bytes per rank and chunk
  size_t at_ = 0;    // within each part
  size_t size_ = 0;  // of this chunk
  Scratch all_;
};

class Barrier final : public Operation {
 public:
  using Operation::Operation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    MPI_Request request;
    engine.check(MPI_Ibarrier(channel_.comm, &request), "MPI_Ibarrier");
    requests.push_back(request);
    return true;
  }
};

class MpiRequest final : public CommRequest {
 public:
  MpiRequest(Engine& engine, std::shared_ptr<Operation> op)
      : engine_(engine), op_(std::move(op)) {}
  ~MpiRequest() override {
    if (!op_) return;
    if (std::uncaught_exceptions() > exceptions_) {
      engine_.abandon(*op_);  // no wait on the way out of a failure
      return;
    }
    try {
      wait();
    } catch (const std::exception& e) {
      log_error(e.what());
    }
  }
  bool done() override {
    if (op_ && engine_.done(*op_)) op_.reset();
    return !op_;
  }
  void wait() override {
    if (auto op = std::exchange(op_, nullptr)) engine_.wait(*op);
  }

 private:
  Engine& engine_;
  std::shared_ptr<Operation> op_;  // null: done
  const int exceptions_ = std::uncaught_exceptions();
};

class MpiCommunicator final : public Communicator, public CallBoard {
 public:
  MpiCommunicator(Engine& engine, std::shared_ptr<Channel> channel, bool owner)
      : engine_(engine), channel_(std::move(channel)), owner_(owner) {}
  ~MpiCommunicator() override {
    if (!owner_ || std::uncaught_exceptions() > exceptions_) return;
    try {
      engine_.remove_channel(*channel_);
    } catch (const std::exception& e) {
      log_error(e.what());
    }
  }

  int rank() const override { return channel_->rank; }
  int size() const override { return channel_->size; }
  const char* backend() const override { return "mpi"; }

  void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                  SumOrder order) override {
    if (size() == 1) return;
    run(reduction(data, count, type, op, order));
  }
  std::unique_ptr<CommRequest> start_all_reduce(void* data, size_t count,
                                                DType type, ReduceOp op,
                                                SumOrder order) override {
    if (size() == 1) return std::make_unique<MpiRequest>(engine_, nullptr);
    auto operation = reduction(data, count, type, op, order);
    engine_.submit(operation);
    return std::make_unique<MpiRequest>(engine_, std::move(operation));
  }
  void broadcast(void* data, size_t bytes, int root) override {
    check_root(root, size());
    if (size() == 1) return;
    run(make<Broadcast>(
        {.kind = CallKind::broadcast, .count = bytes, .root = root}, data,
        bytes));
  }
  void all_gather(const void* in, void* out, size_t bytes) override {
    char* own = static_cast<char*>(out) + static_cast<size_t>(rank()) * bytes;
    if (own != in && bytes) std::memcpy(own, in, bytes);
    if (size() == 1) return;
    run(std::make_shared<AllGather>(
        channel_, Call{.kind = CallKind::all_gather, .count = bytes}, out,
        engine_.options().chunk_bytes));
  }
  void barrier() override {
    if (size() == 1) return;
    run(std::make_shared<Barrier>(channel_, Call{}));
  }
  std::unique_ptr<Communicator> split(int color, int key) override;
  void check() override { engine_.check(); }
  void fail(const std::string& why, int exit_code) override {
    engine_.fail(why, exit_code);
  }
  void set_activity(const std::string& activity) override {
    engine_.set_activity(activity);
  }
  void note_call(const Call& call) override {
    engine_.note_call(*channel_, call);
  }
  std::string who_is_missing(const Call& call, uint64_t number) override {
    return engine_.who_is_missing(*channel_, true, call, number);
  }

 private:
  template <typename T>
  std::shared_ptr<Operation> make(const Call& call, void* data, size_t bytes) {
    return std::make_shared<T>(channel_, call, data, bytes,
                               engine_.options().chunk_bytes);
  }
  std::shared_ptr<Operation> reduction(void* data, size_t count, DType type,
                                       ReduceOp op, SumOrder order) {
    if (size_of(type) == 2 && op != ReduceOp::sum)
      throw CommError("min and max of 16-bit floats are not offered");
    const Call call{CallKind::all_reduce, count, type, op, order};
    const size_t bytes = count * size_of(type);
    if (order == SumOrder::fast && size() > engine_.options().slice_ranks)
      return make<AllReduce>(call, data, bytes);
    if (bytes * static_cast<size_t>(size()) <= kGatherBytes)
      return std::make_shared<GatherReduce>(channel_, call, data, bytes);
    return make<SliceReduce>(call, data, bytes);
  }
  void run(std::shared_ptr<Operation> op) {
    engine_.submit(op);
    engine_.wait(*op);
  }

  Engine& engine_;
  std::shared_ptr<Channel> channel_;
  bool owner_;  // of the MPI communicator; the engine owns the world's
  const int exceptions_ = std::uncaught_exceptions();
};

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) {
  check_color(color);
  // The gather has a deadline and knows who is missing; after it every rank is
  // inside split, and the call that cannot be interrupted is short.
  std::vector<int> all(2 * static_cast<size_t>(size()));
  const int mine[2] = {color, key};
  all_gather(mine, all.data(), sizeof mine);
  std::vector<std::tuple<int, int>> members;  // key, rank
  for (int r = 0; r < size(); ++r)
    if (all[2 * static_cast<size_t>(r)] == color)
      members.emplace_back(all[2 * static_cast<size_t>(r) + 1], r);
  std::sort(members.begin(), members.end());
  std::vector<int> world;
  int new_rank = 0;
  for (auto [k, r] : members) {
    if (r == rank()) new_rank = static_cast<int>(world.size());
    world.push_back(channel_->world[static_cast<size_t>(r)]);
  }
  Hash64 id;
  id.add(channel_->id);
  id.add(channel_->splits++);
  id.add(static_cast<uint64_t>(color));
  MPI_Comm comm = MPI_COMM_NULL;
  engine_.run_blocking("MPI_Comm_split", [&] {
    engine_.check(MPI_Comm_split(channel_->comm, color, key, &comm),
                  "MPI_Comm_split");
  });
  return std::make_unique<MpiCommunicator>(
      engine_,
      engine_.add_channel(comm, id.value(), std::move(world), new_rank), true);
}

class MpiMailbox final : public Mailbox {
 public:
  explicit MpiMailbox(Engine& engine) : engine_(engine) {}
  void send(int to, std::string bytes) override {
    engine_.send_mail(to, std::move(bytes));
  }
  std::optional<Mail> receive(double seconds) override {
    return engine_.receive_mail(seconds);
  }

 private:
  Engine& engine_;
};

}  // namespace

std::unique_ptr<Mailbox> make_mailbox(Engine& engine) {
  return std::make_unique<MpiMailbox>(engine);
}

std::unique_ptr<Communicator> make_world(Engine& engine) {
  return std::make_unique<MpiCommunicator>(engine, engine.world(), false);
}

}  // namespace protean::mpi
