// A Communicator moves flat buffers between the ranks of one job.
//
// Calls are collective: every rank makes the same calls in the same order with
// the same counts, types and root. Any thread may call, one at a time per
// communicator. A call that has not finished within CommOptions::timeout_s
// throws CommError naming rank, operation, size and, where known, the silent
// rank. With size() == 1 every call returns at once and touches no library.
// Buffers are host memory unless on_device() says otherwise.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace protean {

enum class DType { u8, i32, i64, f32, f64 };
enum class ReduceOp { sum, min, max };
// fast: the library's own algorithm. by_rank: the sum is taken in rank order,
// so that the same ranks always get the same bits.
enum class SumOrder { fast, by_rank };

size_t size_of(DType type);
const char* name_of(DType type);

// A collective under way. Not waiting for it is an error of the caller; the
// destructor waits.
class CommRequest {
 public:
  virtual ~CommRequest() = default;
  virtual bool done() = 0;
  // Until the deadline, then CommError.
  virtual void wait() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  // in [0, size())
  virtual int size() const = 0;
  virtual const char* backend() const = 0;  // "inproc", "mpi", "nccl"
  virtual bool on_device() const { return false; }

  // In place, element by element.
  virtual void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                          SumOrder order = SumOrder::fast) = 0;
  // As all_reduce, but returns at once; data must stay until the request is
  // done. Several may be under way; they finish in any order.
  virtual std::unique_ptr<CommRequest> start_all_reduce(void* data,
                                                        size_t count,
                                                        DType type,
                                                        ReduceOp op) = 0;
  virtual void broadcast(void* data, size_t bytes, int root) = 0;
  // out: size() * bytes, in rank order.
  virtual void all_gather(const void* in, void* out, size_t bytes) = 0;
  virtual void barrier() = 0;
  // Ranks of equal color form a communicator, ordered by (key, rank).
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;
};

}  // namespace protean
