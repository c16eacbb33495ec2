#include "comm/mpi/mpi_communicator.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "protean/core/hash.h"
#include "protean/core/log.h"

#include "comm/mpi/engine.h"
#include "comm/reduce.h"

namespace protean::mpi {
namespace {

// Buffers up to this size are copied, so that a call that was given up leaves
// no pointer into its caller's memory.
constexpr size_t kCopyBytes = 32 << 10;
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
    default:
      return MPI_DOUBLE;
  }
}

MPI_Op mpi_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return MPI_SUM;
    case ReduceOp::min:
      return MPI_MIN;
    default:
      return MPI_MAX;
  }
}

// An operation on the caller's buffer, or on a copy of it while it is small.
class BufferOperation : public Operation {
 public:
  BufferOperation(Channel& channel, const Call& call, void* data, size_t bytes,
                  size_t chunk)
      : Operation(channel, call),
        user_(static_cast<char*>(data)),
        data_(user_),
        bytes_(bytes),
        chunk_(std::clamp<size_t>(chunk, 1, size_t{1} << 30)) {
    if (bytes > 0 && bytes <= kCopyBytes) {
      copy_.assign(user_, user_ + bytes);
      data_ = copy_.data();
    }
  }
  void deliver() override {
    if (data_ != user_) std::memcpy(user_, data_, bytes_);
  }

 protected:
  char* user_;
  char* data_;
  size_t bytes_;
  size_t chunk_;  // bytes
  size_t at_ = 0;
  std::vector<char> copy_;
};

class AllReduce final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    const size_t width = size_of(call_.type);
    const size_t n =
        std::min(bytes_ - at_, std::max(width, chunk_ / width * width));
    MPI_Request request;
    engine.check(
        MPI_Iallreduce(MPI_IN_PLACE, data_ + at_, static_cast<int>(n / width),
                       mpi_type(call_.type), mpi_op(call_.op), channel_.comm,
                       &request),
        "MPI_Iallreduce");
    requests.push_back(request);
    at_ += n;
    return at_ == bytes_;
  }
};

// Small: everybody gets everything and sums in rank order.
class GatherReduce final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    all_.resize(bytes_ * static_cast<size_t>(channel_.size));
    MPI_Request request;
    engine.check(MPI_Iallgather(data_, static_cast<int>(bytes_), MPI_BYTE,
                                all_.data(), static_cast<int>(bytes_), MPI_BYTE,
                                channel_.comm, &request),
                 "MPI_Iallgather");
    requests.push_back(request);
    return true;
  }
  void deliver() override {
    if (bytes_ == 0) return;
    std::memcpy(data_, all_.data(), bytes_);
    for (size_t r = 1; r < static_cast<size_t>(channel_.size); ++r)
      reduce_into(data_, all_.data() + r * bytes_, call_.count, call_.type,
                  call_.op);
    BufferOperation::deliver();
  }

 private:
  std::vector<char> all_;
};

// Large: each rank gets its slice from all ranks, sums it in rank order and
// sends the sum to all. Chunk by chunk, which bounds the scratch memory and
// changes no bit.
class SliceReduce final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    const auto ranks = static_cast<size_t>(channel_.size);
    const auto me = static_cast<size_t>(channel_.rank);
    const size_t width = size_of(call_.type);
    if (!gathered_) {
      const size_t n =
          std::min(call_.count - at_, std::max<size_t>(1, chunk_ / width));
      first_ = data_ + at_ * width;
      start_.resize(ranks + 1);
      for (size_t r = 0; r <= ranks; ++r) start_[r] = n * r / ranks;
      const size_t mine = start_[me + 1] - start_[me];
      slices_.resize(mine * width * ranks);
      for (size_t r = 0; r < ranks; ++r) {
        if (r == me) continue;
        receive(engine, requests, slices_.data() + r * mine * width,
                mine * width, r);
      }
      for (size_t r = 0; r < ranks; ++r)
        if (r != me) send(engine, requests, r, r);
      at_ += n;
      gathered_ = true;
      return false;
    }
    char* slice = first_ + start_[me] * width;
    const size_t mine = start_[me + 1] - start_[me];
    if (mine) {
      char* own = slices_.data() + me * mine * width;
      std::memcpy(own, slice, mine * width);
      std::memcpy(slice, slices_.data(), mine * width);
      for (size_t r = 1; r < ranks; ++r)
        reduce_into(slice, slices_.data() + r * mine * width, mine, call_.type,
                    call_.op);
    }
    for (size_t r = 0; r < ranks; ++r) {
      if (r == me) continue;
      receive(engine, requests, first_ + start_[r] * width,
              (start_[r + 1] - start_[r]) * width, r);
    }
    for (size_t r = 0; r < ranks; ++r)
      if (r != me) send(engine, requests, me, r);
    gathered_ = false;
    return at_ == call_.count;
  }

 private:
  // Messages between two ranks never overtake each other, and every rank posts
  // phases in the same order: one tag is enough.
  static constexpr int kTag = 2;
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
    const size_t width = size_of(call_.type);
    const size_t bytes = (start_[slice + 1] - start_[slice]) * width;
    if (bytes == 0) return;
    MPI_Request request;
    engine.check(
        MPI_Isend(first_ + start_[slice] * width, static_cast<int>(bytes),
                  MPI_BYTE, static_cast<int>(rank), kTag, channel_.comm,
                  &request),
        "MPI_Isend");
    requests.push_back(request);
  }

  bool gathered_ = false;
  char* first_ = nullptr;      // of this chunk
  std::vector<size_t> start_;  // of each rank's slice, elements
  std::vector<char> slices_;   // mine, from every rank
};

class Broadcast final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    if (bytes_ == 0) return true;
    const size_t n = std::min(bytes_ - at_, chunk_);
    MPI_Request request;
    engine.check(MPI_Ibcast(data_ + at_, static_cast<int>(n), MPI_BYTE,
                            call_.root, channel_.comm, &request),
                 "MPI_Ibcast");
    requests.push_back(request);
    at_ += n;
    return at_ == bytes_;
  }
};

// data: all ranks' parts, this rank's already in its place.
class AllGather final : public BufferOperation {
 public:
  using BufferOperation::BufferOperation;
  bool post(Engine& engine, std::vector<MPI_Request>& requests) override {
    const size_t part = call_.count;
    if (part == 0) return true;
    MPI_Request request;
    if (bytes_ <= chunk_) {
      engine.check(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_BYTE, data_,
                                  static_cast<int>(part), MPI_BYTE,
                                  channel_.comm, &request),
                   "MPI_Iallgather");
      requests.push_back(request);
      return true;
    }
    // Too large for one call: every rank in turn sends its part in pieces.
    const size_t root = at_ / part;
    const size_t n = std::min((root + 1) * part - at_, chunk_);
    engine.check(MPI_Ibcast(data_ + at_, static_cast<int>(n), MPI_BYTE,
                            static_cast<int>(root), channel_.comm, &request),
                 "MPI_Ibcast");
    requests.push_back(request);
    at_ += n;
    return at_ == bytes_;
  }
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
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(Engine& engine, std::shared_ptr<Channel> channel, bool owner)
      : engine_(engine), channel_(std::move(channel)), owner_(owner) {}
  ~MpiCommunicator() override {
    if (!owner_) return;
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
    if (root < 0 || root >= size())
      throw CommError(
          concat("broadcast: root = ", root, "; expected 0 to ", size() - 1));
    if (size() == 1) return;
    run(make<Broadcast>(
        {.kind = CallKind::broadcast, .count = bytes, .root = root}, data,
        bytes));
  }
  void all_gather(const void* in, void* out, size_t bytes) override {
    char* own = static_cast<char*>(out) + static_cast<size_t>(rank()) * bytes;
    if (own != in && bytes) std::memcpy(own, in, bytes);
    if (size() == 1) return;
    run(make<AllGather>({.kind = CallKind::all_gather, .count = bytes}, out,
                        bytes * static_cast<size_t>(size())));
  }
  void barrier() override {
    if (size() == 1) return;
    run(std::make_shared<Barrier>(*channel_, Call{}));
  }
  std::unique_ptr<Communicator> split(int color, int key) override;
  void check() override { engine_.check(); }
  void fail(const std::string& why, int exit_code) override {
    engine_.fail(why, exit_code);
  }

 private:
  template <typename T>
  std::shared_ptr<Operation> make(const Call& call, void* data, size_t bytes) {
    return std::make_shared<T>(*channel_, call, data, bytes,
                               engine_.options().chunk_bytes);
  }
  std::shared_ptr<Operation> reduction(void* data, size_t count, DType type,
                                       ReduceOp op, SumOrder order) {
    const Call call{CallKind::all_reduce, count, type, op, order};
    const size_t bytes = count * size_of(type);
    if (order == SumOrder::fast) return make<AllReduce>(call, data, bytes);
    if (bytes * static_cast<size_t>(size()) <= kGatherBytes)
      return make<GatherReduce>(call, data, bytes);
    return make<SliceReduce>(call, data, bytes);
  }
  void run(std::shared_ptr<Operation> op) {
    engine_.submit(op);
    engine_.wait(*op);
  }

  Engine& engine_;
  std::shared_ptr<Channel> channel_;
  bool owner_;  // of the MPI communicator; the engine owns the world's
};

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) {
  if (color < 0)
    throw CommError(concat("split: color = ", color, "; expected >= 0"));
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

}  // namespace

std::unique_ptr<Communicator> make_world(Engine& engine) {
  return std::make_unique<MpiCommunicator>(engine, engine.world(), false);
}

}  // namespace protean::mpi
