// A Communicator moves flat buffers between the ranks of one job.
//
// Collective: every rank makes the same calls in the same order with the same
// counts, types and root. Any thread may call, one at a time per communicator.
// Buffers are host memory unless on_device(). With size() == 1 every call
// returns at once and touches no library.
//
// Failure is for good and for all: there is no call that fails on one rank and
// leaves the job usable.
//  - A call that is not done within CommOptions::timeout_s throws CommError. It
//    names rank, call, size, elapsed time and the ranks that are missing, as
//    far as they can be known, and breaks the job for every rank.
//  - A rank that fails (an exception that reaches run_world, or fail()) makes
//    the call that others are in, or their next one, throw CommError
//    "rank r failed: why" with that rank's exit code.
//  - After that every call on every communicator of the job throws the same.
//    A buffer of a call that threw holds nothing meaningful and should stay
//    allocated where that is easy: a late message may still land in it.
// So: let the exception pass up to run_world, which ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "protean/core/error.h"

namespace protean {

// bf16 and f16 have no type in C++: two bytes each. A sum rounds after every
// addition of two numbers; min and max are not offered for them.
enum class DType { u8, i32, i64, f32, f64, bf16, f16 };
enum class ReduceOp { sum, min, max };  // min, max of NaN: unspecified
// fast: the library's own algorithm; every rank gets the same bits, but not the
// same bits twice. by_rank: ((x0 + x1) + x2) + ... element by element, so that
// the same ranks always get the same bits, on every host backend.
enum class SumOrder { fast, by_rank };

size_t size_of(DType type);
const char* name_of(DType type);
const char* name_of(ReduceOp op);

// dtype_of<float>() == DType::f32
template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}

// Thrown where another rank is the cause; exit_code() is that rank's.
class PeerError : public CommError {
 public:
  PeerError(int peer, const std::string& what, int exit_code)
      : CommError(what, exit_code), peer_(peer) {}
  int peer() const { return peer_; }  // rank in the whole job

 private:
  int peer_;
};

// A collective under way. The destructor waits, and logs instead of throwing.
class CommRequest {
 public:
  virtual ~CommRequest() = default;
  // Throws what wait() would throw.
  virtual bool done() = 0;
  // Until the deadline, counted from the start of the call; then CommError.
  virtual void wait() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  // in [0, size())
  virtual int size() const = 0;
  virtual const char* backend() const = 0;  // "inproc", "mpi", "nccl"
  virtual bool on_device() const { return false; }

  // In place, element by element. Integer sums wrap around.
  virtual void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                          SumOrder order = SumOrder::fast) = 0;
  // As all_reduce, but returns at once; data must stay, untouched, until the
  // request is done. Several may be under way; they finish in any order. The
  // order of starts is part of the order of calls.
  virtual std::unique_ptr<CommRequest> start_all_reduce(
      void* data, size_t count, DType type, ReduceOp op,
      SumOrder order = SumOrder::fast) = 0;
  virtual void broadcast(void* data, size_t bytes, int root) = 0;
  // out: size() * bytes, in rank order. in may be out + rank() * bytes.
  virtual void all_gather(const void* in, void* out, size_t bytes) = 0;
  // Nobody returns before everybody has called.
  virtual void barrier() = 0;
  // Ranks of equal color form a communicator, ordered by (key, rank).
  // color >= 0. Set-up work, not for inner loops.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;

  // Throws if the job is broken. Cheap, not collective: for code that waits for
  // something other than a collective.
  virtual void check() = 0;
  // Tells every rank of the job that this one cannot go on. Not collective;
  // returns at once. The first one counts.
  virtual void fail(const std::string& why, int exit_code) = 0;
  // What this rank is doing, e.g. "step 1200": part of its errors, and of the
  // errors of ranks that wait for it. Holds for the whole job; cheap.
  virtual void set_activity(const std::string& activity) = 0;
  // Device buffers: calls wait for the work queued on this CUDA stream so far
  // (null: the default stream). Host backends ignore it.
  virtual void follow_stream(void* /*cuda_stream*/) {}
};

}  // namespace protean
