// What the NCCL backend calls, as a table: filled from the libraries at run
// time, or by a test with functions that fail on purpose. Neutral types, so
// that only load.cpp sees nccl.h and the CUDA run-time.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "protean/comm/communicator.h"

namespace protean::nccl {

// The values of ncclResult_t.
enum class Result : int {
  success = 0,
  cuda_error = 1,
  system_error = 2,
  internal_error = 3,
  invalid_argument = 4,
  invalid_usage = 5,
  remote_error = 6,
  in_progress = 7
};

// The values of cudaError_t that matter here.
constexpr int kCudaSuccess = 0;
constexpr int kCudaNotReady = 600;

struct UniqueId {
  char bytes[128];
};
using Comm = void*;
using Stream = void*;
using Event = void*;

struct Api {
  // NCCL. The communicator is non-blocking: init, finalize and the operations
  // may answer in_progress; async_error then says when they are through.
  std::function<Result(UniqueId*)> unique_id;
  std::function<Result(Comm*, int ranks, const UniqueId&, int rank)> init;
  std::function<Result(Comm, Result* state)> async_error;
  std::function<Result(Comm)> finalize;
  std::function<Result(Comm)> destroy;
  std::function<Result(Comm)> abort;
  std::function<Result(void*, size_t, DType, ReduceOp, Comm, Stream)>
      all_reduce;
  std::function<Result(void*, size_t bytes, int root, Comm, Stream)> broadcast;
  std::function<Result(const void*, void*, size_t bytes, Comm, Stream)>
      all_gather;
  std::function<std::string(Result)> text;

  // The CUDA run-time, on the current device of the calling thread.
  std::function<int(int*)> device_count;
  std::function<int(int)> set_device;
  std::function<std::string(int)> device_id;  // bus id; unique per host
  std::function<int(Stream*)> create_stream;
  std::function<int(Stream)> destroy_stream;
  std::function<int(Event*)> create_event;
  std::function<int(Event)> destroy_event;
  std::function<int(Event, Stream)> record;
  std::function<int(Event)> query;  // kCudaNotReady while under way
  std::function<int(Stream, Event)> stream_wait;
  std::function<int(void**, size_t)> allocate;
  std::function<int(void*)> release;
  std::function<int(void* to, const void* from, size_t)> copy;  // blocking
  std::function<std::string(int)> cuda_text;
};

// The libraries of this machine, opened once per process: the ones that
// LibTorch uses. Throws ConfigError saying why they cannot be used.
const Api& load();
// What load() does from now on; for tests.
void replace_loader(std::function<const Api&()> loader);
// As load, but with a reason instead of an exception.
bool available(std::string* reason);
// "2.28.9"; empty where there is no NCCL. Asks for no GPU.
std::string version();

}  // namespace protean::nccl
