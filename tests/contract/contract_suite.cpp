#include "contract/contract_suite.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "protean/core/half.h"

namespace protean {
namespace {

class HostMemory final : public TestMemory {
 public:
  void* allocate(size_t bytes) override { return ::operator new(bytes); }
  void release(void* p) override { ::operator delete(p); }
  void to_device(void* to, const void* from, size_t bytes) override {
    if (bytes) std::memcpy(to, from, bytes);
  }
  void to_host(void* to, const void* from, size_t bytes) override {
    if (bytes) std::memcpy(to, from, bytes);
  }
};

// A buffer where the communicator wants it, filled from and read to a vector.
template <typename T>
class Buffer {
 public:
  Buffer(const ContractContext& context, std::vector<T> values)
      : memory_(context.memory), size_(values.size()) {
    data_ = memory_.allocate(std::max<size_t>(1, size_ * sizeof(T)));
    memory_.to_device(data_, values.data(), size_ * sizeof(T));
  }
  ~Buffer() { memory_.release(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  void* data() { return data_; }
  size_t size() const { return size_; }
  std::vector<T> values() const {
    std::vector<T> host(size_);
    memory_.to_host(host.data(), data_, size_ * sizeof(T));
    return host;
  }

 private:
  TestMemory& memory_;
  size_t size_;
  void* data_;
};

std::vector<size_t> counts(const ContractContext& c, size_t width) {
  return {0, 1, 2, 7, 1001, 3 * c.chunk_bytes / width + 5};
}

// Small whole numbers: every sum is exact in every type, also u8.
template <typename T>
T element(int rank, size_t i) {
  return static_cast<T>((i % 5) + static_cast<size_t>(rank) * 3);
}

template <typename T>
T expected(ReduceOp op, int size, size_t i) {
  const auto base = static_cast<double>(i % 5);
  const int last = 3 * (size - 1);
  switch (op) {
    case ReduceOp::sum:
      return static_cast<T>(base * size + last * size / 2.0);
    case ReduceOp::min:
      return static_cast<T>(base);
    default:
      return static_cast<T>(base + last);
  }
}

template <typename T>
void reduce_type(const ContractContext& c, Notes& notes) {
  const int rank = c.comm.rank(), size = c.comm.size();
  for (size_t count : counts(c, sizeof(T)))
    for (ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max})
      for (SumOrder order : {SumOrder::fast, SumOrder::by_rank}) {
        if (order == SumOrder::by_rank && !c.by_rank) continue;
        std::vector<T> values(count);
        for (size_t i = 0; i < count; ++i) values[i] = element<T>(rank, i);
        Buffer<T> buffer(c, values);
        c.comm.all_reduce(buffer.data(), count, dtype_of<T>(), op, order);
        values = buffer.values();
        for (size_t i = 0; i < count; ++i)
          notes.check(values[i] == expected<T>(op, size, i),
                      name_of(dtype_of<T>()), "[", count, "] ", name_of(op),
                      " at ", i, " is ", +values[i], "; expected ",
                      +expected<T>(op, size, i));
      }
}

void all_reduce(const ContractContext& c, Notes& notes) {
  reduce_type<uint8_t>(c, notes);
  reduce_type<int32_t>(c, notes);
  reduce_type<int64_t>(c, notes);
  reduce_type<float>(c, notes);
  reduce_type<double>(c, notes);
}

// 64-bit sums keep all bits, and wrap as unsigned ones do.
void large_integers(const ContractContext& c, Notes& notes) {
  const auto size = static_cast<uint64_t>(c.comm.size());
  const uint64_t big = 0x0123456789ABCDEFull;
  Buffer<int64_t> b(
      c, {static_cast<int64_t>(big), std::numeric_limits<int64_t>::max()});
  c.comm.all_reduce(b.data(), 2, DType::i64, ReduceOp::sum);
  const auto v = b.values();
  notes.check(static_cast<uint64_t>(v[0]) == big * size, "sum of large i64");
  notes.check(static_cast<uint64_t>(v[1]) == size * ((uint64_t{1} << 63) - 1),
              "i64 sum wraps");
}

// Whole numbers that 16 bits hold, and so do their sums.
void halves(const ContractContext& c, Notes& notes) {
  const int ranks = c.comm.size();
  for (size_t count : {size_t{5}, 70000 + c.chunk_bytes})
    for (DType type : {DType::bf16, DType::f16}) {
      auto bits = [&](int value) {
        const auto f = static_cast<float>(value);
        return type == DType::f16 ? float_to_f16(f) : float_to_bf16(f);
      };
      std::vector<uint16_t> mine(count), want(count);
      for (size_t i = 0; i < count; ++i) {
        const int x = static_cast<int>(i % 5) - 2;
        mine[i] = bits(x + c.comm.rank());
        want[i] = bits(x * ranks + ranks * (ranks - 1) / 2);
      }
      Buffer<uint16_t> b(c, mine);
      c.comm.all_reduce(b.data(), count, type, ReduceOp::sum);
      notes.check(b.values() == want, name_of(type), "[", count,
                  "] is not the sum");
    }
}

// A value whose float32 sum depends on the order.
float awkward(int rank, size_t i) {
  const auto x = static_cast<double>(i * 7 + 1) * (rank % 2 ? -1.0 : 1.0);
  return static_cast<float>(std::sin(x) * std::pow(10.0, (rank * 5 + i) % 9));
}

void by_rank_bits(const ContractContext& c, Notes& notes) {
  if (!c.by_rank) return;
  for (size_t count : {size_t{3}, size_t{1001}, 20000 + c.chunk_bytes}) {
    std::vector<float> want(count), mine(count);
    for (size_t i = 0; i < count; ++i) {
      want[i] = awkward(0, i);
      for (int r = 1; r < c.comm.size(); ++r) want[i] += awkward(r, i);
      mine[i] = awkward(c.comm.rank(), i);
    }
    for (int repeat = 0; repeat < 3; ++repeat) {
      Buffer<float> b(c, mine);
      c.comm.all_reduce(b.data(), count, DType::f32, ReduceOp::sum,
                        SumOrder::by_rank);
      notes.check(std::memcmp(b.values().data(), want.data(),
                              count * sizeof(float)) == 0,
                  "by_rank f32[", count,
                  "] differs from the sum in rank order");
    }
  }
}

// fast promises the same bits on every rank.
void same_bits_everywhere(const ContractContext& c, Notes& notes) {
  const size_t count = 1001;
  std::vector<float> mine(count);
  for (size_t i = 0; i < count; ++i) mine[i] = awkward(c.comm.rank(), i);
  Buffer<float> b(c, mine);
  c.comm.all_reduce(b.data(), count, DType::f32, ReduceOp::sum);
  Buffer<float> all(
      c, std::vector<float>(count * static_cast<size_t>(c.comm.size())));
  c.comm.all_gather(b.data(), all.data(), count * sizeof(float));
  const auto v = all.values();
  for (int r = 1; r < c.comm.size(); ++r)
    notes.check(std::memcmp(v.data(), v.data() + static_cast<size_t>(r) * count,
                            count * sizeof(float)) == 0,
                "rank ", r, " has other bits than rank 0");
}

void broadcast(const ContractContext& c, Notes& notes) {
  for (int root = 0; root < c.comm.size(); ++root)
    for (size_t bytes : counts(c, 1)) {
      std::vector<uint8_t> v(bytes);
      auto at = [&](size_t i) {
        return static_cast<uint8_t>(i * 3 + static_cast<size_t>(root) + 1);
      };
      if (c.comm.rank() == root)
        for (size_t i = 0; i < bytes; ++i) v[i] = at(i);
      Buffer<uint8_t> b(c, v);
      c.comm.broadcast(b.data(), bytes, root);
      v = b.values();
      for (size_t i = 0; i < bytes; ++i)
        notes.check(v[i] == at(i), bytes, " bytes from ", root, " at ", i,
                    " is ", +v[i], "; expected ", +at(i));
    }
}

void all_gather(const ContractContext& c, Notes& notes) {
  const auto size = static_cast<size_t>(c.comm.size());
  const auto rank = static_cast<size_t>(c.comm.rank());
  auto at = [](size_t r, size_t i) { return static_cast<uint8_t>(r * 50 + i); };
  for (bool in_place : {false, true})
    for (size_t bytes : counts(c, 1)) {
      std::vector<uint8_t> in(bytes), out(bytes * size);
      for (size_t i = 0; i < bytes; ++i) in[i] = at(rank, i);
      if (in_place)
        for (size_t i = 0; i < bytes; ++i) out[rank * bytes + i] = in[i];
      Buffer<uint8_t> from(c, in), to(c, out);
      c.comm.all_gather(
          in_place ? static_cast<char*>(to.data()) + rank * bytes : from.data(),
          to.data(), bytes);
      out = to.values();
      for (size_t r = 0; r < size; ++r)
        for (size_t i = 0; i < bytes; ++i)
          notes.check(out[r * bytes + i] == at(r, i), bytes, " bytes, rank ", r,
                      " at ", i, " is ", +out[r * bytes + i], "; expected ",
                      +at(r, i));
    }
}

// Who comes late must still be waited for: its clock reading is part of the
// maximum that everybody compares with.
void barrier(const ContractContext& c, Notes& notes) {
  using Clock = std::chrono::steady_clock;
  auto now = [] {
    return static_cast<int64_t>(Clock::now().time_since_epoch().count());
  };
  for (int late = 0; late < c.comm.size(); ++late) {
    if (c.comm.rank() == late)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const int64_t before = now();
    c.comm.barrier();
    const int64_t after = now();
    Buffer<int64_t> latest(c, {before});
    c.comm.all_reduce(latest.data(), 1, DType::i64, ReduceOp::max);
    // One clock: these ranks share a host.
    notes.check(after >= latest.values()[0], "left before rank ", late,
                " came");
  }
}

void split(const ContractContext& c, Notes& notes) {
  const int rank = c.comm.rank(), size = c.comm.size();
  auto half = c.comm.split(rank % 2, rank);
  notes.check(half->size() == (size + 1 - rank % 2) / 2, "even/odd size is ",
              half->size());
  notes.check(half->rank() == rank / 2, "even/odd rank is ", half->rank());
  Buffer<int64_t> sum(c, {rank});
  half->all_reduce(sum.data(), 1, DType::i64, ReduceOp::sum);
  int64_t want = 0;
  for (int r = rank % 2; r < size; r += 2) want += r;
  notes.check(sum.values()[0] == want, "sum over half is ", sum.values()[0],
              "; expected ", want);

  auto reversed = c.comm.split(0, -rank);
  notes.check(reversed->size() == size, "reversed size is ", reversed->size());
  notes.check(reversed->rank() == size - 1 - rank, "reversed rank is ",
              reversed->rank());
  Buffer<int32_t> first(c, {rank});
  reversed->broadcast(first.data(), sizeof(int32_t), 0);
  notes.check(first.values()[0] == size - 1, "reversed root is ",
              first.values()[0]);

  auto equal_keys = c.comm.split(7, 0);
  notes.check(equal_keys->rank() == rank, "equal keys keep the order");

  // A split of a split, used between calls of its parents.
  auto again = half->split(0, -half->rank());
  Buffer<int64_t> count(c, {1});
  again->all_reduce(count.data(), 1, DType::i64, ReduceOp::sum);
  c.comm.all_reduce(count.data(), 1, DType::i64, ReduceOp::max);
  notes.check(count.values()[0] == (size + 1) / 2, "largest half is ",
              count.values()[0]);
}

void overlapping(const ContractContext& c, Notes& notes) {
  constexpr size_t kMany = 40;
  const int rank = c.comm.rank(), size = c.comm.size();
  std::vector<std::unique_ptr<Buffer<int64_t>>> buffers;
  std::vector<std::unique_ptr<CommRequest>> requests;
  for (size_t k = 0; k < kMany; ++k) {
    const size_t count = k * 37 % 400;
    buffers.push_back(std::make_unique<Buffer<int64_t>>(
        c, std::vector<int64_t>(count, rank + static_cast<int64_t>(k))));
    requests.push_back(c.comm.start_all_reduce(
        buffers[k]->data(), count, DType::i64, ReduceOp::sum,
        c.by_rank && k % 3 == 0 ? SumOrder::by_rank : SumOrder::fast));
    if (k % 10 == 5) c.comm.barrier();
  }
  for (size_t k = kMany; k-- > 0;) requests[k]->wait();
  for (size_t k = 0; k < kMany; ++k) {
    notes.check(requests[k]->done(), "request ", k, " waited for, not done");
    const int64_t want = static_cast<int64_t>(k) * size + size * (size - 1) / 2;
    for (int64_t v : buffers[k]->values())
      notes.check(v == want, "request ", k, " gives ", v, "; expected ", want);
  }
}

void poll_until_done(const ContractContext& c, Notes& notes) {
  Buffer<int32_t> b(c, std::vector<int32_t>(500, 1));
  auto request =
      c.comm.start_all_reduce(b.data(), 500, DType::i32, ReduceOp::sum);
  while (!request->done()) std::this_thread::yield();
  for (int32_t v : b.values())
    notes.check(v == c.comm.size(), "sum of ones is ", v);
}

// A request that goes out of scope has been waited for.
void dropped_request(const ContractContext& c, Notes& notes) {
  Buffer<int32_t> b(c, {2});
  c.comm.start_all_reduce(b.data(), 1, DType::i32, ReduceOp::sum).reset();
  notes.check(b.values()[0] == 2 * c.comm.size(), "sum is ", b.values()[0]);
}

void many_small_calls(const ContractContext& c, Notes& notes) {
  for (int k = 0; k < 300; ++k) {
    Buffer<int32_t> b(c, {k + c.comm.rank()});
    c.comm.all_reduce(b.data(), 1, DType::i32, ReduceOp::max);
    notes.check(b.values()[0] == k + c.comm.size() - 1, "call ", k);
  }
}

void healthy(const ContractContext& c, Notes& notes) {
  c.comm.check();
  notes.check(c.comm.rank() >= 0 && c.comm.rank() < c.comm.size(),
              "rank out of range");
  notes.check(
      c.comm.on_device() == (std::strcmp(c.comm.backend(), "nccl") == 0),
      "on_device");
}

}  // namespace

TestMemory& host_memory() {
  static HostMemory memory;
  return memory;
}

const std::vector<ContractCase>& contract_cases() {
  static const std::vector<ContractCase> cases = {
      {"healthy", healthy},
      {"all_reduce", all_reduce},
      {"large integers", large_integers},
      {"16-bit floats", halves},
      {"by_rank bits", by_rank_bits},
      {"same bits everywhere", same_bits_everywhere},
      {"broadcast", broadcast},
      {"all_gather", all_gather},
      {"barrier", barrier},
      {"split", split},
      {"overlapping", overlapping},
      {"poll until done", poll_until_done},
      {"dropped request", dropped_request},
      {"many small calls", many_small_calls},
  };
  return cases;
}

void mailbox_case(Communicator& comm, Mailbox& mail, Notes& notes) {
  const std::vector<size_t> sizes = {0, 1, 100, 5000, 300000, 7};
  const int rank = comm.rank(), size = comm.size();
  auto letter = [](int from, int to, size_t k) {
    return static_cast<char>('a' +
                             (from * 5 + to * 3 + static_cast<int>(k)) % 26);
  };
  for (size_t k = 0; k < sizes.size(); ++k) {
    for (int to = 0; to < size; ++to)
      mail.send(to, std::string(sizes[k], letter(rank, to, k)));
    int32_t one = 1;  // collectives go on in between
    comm.all_reduce(&one, 1, DType::i32, ReduceOp::sum);
    notes.check(one == size, "all_reduce between mails gives ", one);
  }
  std::vector<size_t> next(static_cast<size_t>(size));
  for (size_t n = 0; n < sizes.size() * static_cast<size_t>(size); ++n) {
    auto got = mail.receive(10);
    notes.check(got.has_value(), "only ", n, " mails have come");
    if (!got) break;
    const size_t k = next[static_cast<size_t>(got->from)]++;
    notes.check(
        k < sizes.size() &&
            got->bytes == std::string(sizes[k], letter(got->from, rank, k)),
        "mail ", k, " from rank ", got->from, " has ", got->bytes.size(),
        " bytes or is out of order");
  }
  comm.barrier();
  notes.check(!mail.receive(), "a mail that nobody sent");
  bool refused = false;
  try {
    mail.send(size, "");
  } catch (const CommError&) {
    refused = true;
  }
  notes.check(refused, "mail to a rank that does not exist");
}

}  // namespace protean
