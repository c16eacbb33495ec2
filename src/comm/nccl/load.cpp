// Opens libnccl and the CUDA run-time. Nothing links against them, so that one
// program runs with and without them.
#include <array>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <nccl.h>

#include "protean/core/gpu_library.h"

#include "comm/nccl/api.h"
#include "comm/nccl/libraries.h"

namespace protean::nccl {
namespace {

static_assert(static_cast<int>(Result::in_progress) == ncclInProgress);
static_assert(static_cast<int>(Result::remote_error) == ncclRemoteError);
static_assert(static_cast<int>(Result::invalid_usage) == ncclInvalidUsage);
static_assert(kCudaNotReady == cudaErrorNotReady);
static_assert(sizeof(UniqueId) == sizeof(ncclUniqueId));
static_assert(NCCL_VERSION_CODE >= NCCL_VERSION(2, 14, 3),
              "non-blocking communicators need NCCL 2.14.3");

// What is loaded already (by LibTorch), else from the folder whose headers this
// was compiled with, else by name: an older one may be installed.
void* open(const std::string& name, const std::string& folder) {
  for (const auto& [path, flags] :
       {std::pair{name, RTLD_NOLOAD}, {folder + "/" + name, 0}, {name, 0}})
    if (void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL | flags))
      return library;
  const char* why = ::dlerror();
  throw ConfigError(
      concat("comm.backend = nccl: ", name, ": ", why ? why : "not found"));
}

template <typename F>
F* find(void* library, const char* name) {
  void* symbol = ::dlsym(library, name);
  if (!symbol)
    throw ConfigError(concat("comm.backend = nccl: no ", name,
                             " in the library that is "
                             "installed; expected NCCL 2.14.3 or later"));
  return reinterpret_cast<F*>(symbol);
}

ncclDataType_t nccl_type(DType type) {
  switch (type) {
    case DType::u8:
      return ncclUint8;
    case DType::i32:
      return ncclInt32;
    case DType::i64:
      return ncclInt64;
    case DType::f32:
      return ncclFloat32;
    case DType::bf16:
      return ncclBfloat16;
    case DType::f16:
      return ncclFloat16;
    default:
      return ncclFloat64;
  }
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return ncclSum;
    case ReduceOp::min:
      return ncclMin;
    default:
      return ncclMax;
  }
}

Result result_of(ncclResult_t r) { return static_cast<Result>(r); }
ncclComm_t comm_of(Comm c) { return static_cast<ncclComm_t>(c); }
cudaStream_t stream_of(Stream s) { return static_cast<cudaStream_t>(s); }
cudaEvent_t event_of(Event e) { return static_cast<cudaEvent_t>(e); }

#define NCCL_FUNCTION(name) find<decltype(::name)>(nccl, #name)
#define CUDA_FUNCTION(name) find<decltype(::name)>(cuda, #name)

void add_nccl(Api& api, void* nccl) {
  auto* unique_id = NCCL_FUNCTION(ncclGetUniqueId);
  auto* init = NCCL_FUNCTION(ncclCommInitRankConfig);
  auto* async_error = NCCL_FUNCTION(ncclCommGetAsyncError);
  auto* finalize = NCCL_FUNCTION(ncclCommFinalize);
  auto* destroy = NCCL_FUNCTION(ncclCommDestroy);
  auto* abort = NCCL_FUNCTION(ncclCommAbort);
  auto* all_reduce = NCCL_FUNCTION(ncclAllReduce);
  auto* broadcast = NCCL_FUNCTION(ncclBroadcast);
  auto* all_gather = NCCL_FUNCTION(ncclAllGather);
  auto* text = NCCL_FUNCTION(ncclGetErrorString);

  api.unique_id = [=](UniqueId* id) {
    return result_of(unique_id(reinterpret_cast<ncclUniqueId*>(id)));
  };
  api.init = [=](Comm* comm, int ranks, const UniqueId& id, int rank) {
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    ncclComm_t made = nullptr;
    const auto r = init(&made, ranks, reinterpret_cast<const ncclUniqueId&>(id),
                        rank, &config);
    *comm = made;
    return result_of(r);
  };
  api.async_error = [=](Comm comm, Result* state) {
    ncclResult_t s = ncclSuccess;
    const auto r = async_error(comm_of(comm), &s);
    *state = result_of(s);
    return result_of(r);
  };
  api.finalize = [=](Comm c) { return result_of(finalize(comm_of(c))); };
  api.destroy = [=](Comm c) { return result_of(destroy(comm_of(c))); };
  api.abort = [=](Comm c) { return result_of(abort(comm_of(c))); };
  api.all_reduce = [=](void* data, size_t count, DType type, ReduceOp op,
                       Comm c, Stream s) {
    return result_of(all_reduce(data, data, count, nccl_type(type), nccl_op(op),
                                comm_of(c), stream_of(s)));
  };
  api.broadcast = [=](void* data, size_t bytes, int root, Comm c, Stream s) {
    return result_of(broadcast(data, data, bytes, ncclUint8, root, comm_of(c),
                               stream_of(s)));
  };
  api.all_gather = [=](const void* in, void* out, size_t bytes, Comm c,
                       Stream s) {
    return result_of(
        all_gather(in, out, bytes, ncclUint8, comm_of(c), stream_of(s)));
  };
  api.text = [=](Result r) {
    return std::string(text(static_cast<ncclResult_t>(r)));
  };
}

void add_cuda(Api& api, void* cuda) {
  auto* device_count = CUDA_FUNCTION(cudaGetDeviceCount);
  auto* set_device = CUDA_FUNCTION(cudaSetDevice);
  auto* bus_id = CUDA_FUNCTION(cudaDeviceGetPCIBusId);
  auto* create_stream = CUDA_FUNCTION(cudaStreamCreateWithPriority);
  auto* priorities = CUDA_FUNCTION(cudaDeviceGetStreamPriorityRange);
  auto* destroy_stream = CUDA_FUNCTION(cudaStreamDestroy);
  auto* create_event = CUDA_FUNCTION(cudaEventCreateWithFlags);
  auto* destroy_event = CUDA_FUNCTION(cudaEventDestroy);
  auto* record =
      find<cudaError_t(cudaEvent_t, cudaStream_t)>(cuda, "cudaEventRecord");
  auto* query = CUDA_FUNCTION(cudaEventQuery);
  auto* stream_wait = find<cudaError_t(cudaStream_t, cudaEvent_t, unsigned)>(
      cuda, "cudaStreamWaitEvent");
  auto* allocate = find<cudaError_t(void**, size_t)>(cuda, "cudaMalloc");
  auto* release = CUDA_FUNCTION(cudaFree);
  auto* copy = CUDA_FUNCTION(cudaMemcpy);
  auto* text = CUDA_FUNCTION(cudaGetErrorString);

  api.device_count = [=](int* n) { return int{device_count(n)}; };
  api.set_device = [=](int device) { return int{set_device(device)}; };
  api.device_id = [=](int device) {
    std::array<char, 64> id = {};
    if (bus_id(id.data(), id.size(), device) != cudaSuccess)
      return std::to_string(device);
    return std::string(id.data());
  };
  api.create_stream = [=](Stream* s) {
    // Ahead of compute: others wait for what it does.
    int least = 0, greatest = 0;
    priorities(&least, &greatest);
    cudaStream_t made = nullptr;
    const int r = create_stream(&made, cudaStreamNonBlocking, greatest);
    *s = made;
    return r;
  };
  api.destroy_stream = [=](Stream s) {
    return int{destroy_stream(stream_of(s))};
  };
  api.create_event = [=](Event* e) {
    cudaEvent_t made = nullptr;
    const int r = create_event(&made, cudaEventDisableTiming);
    *e = made;
    return r;
  };
  api.destroy_event = [=](Event e) { return int{destroy_event(event_of(e))}; };
  api.record = [=](Event e, Stream s) {
    return int{record(event_of(e), stream_of(s))};
  };
  api.query = [=](Event e) { return int{query(event_of(e))}; };
  api.stream_wait = [=](Stream s, Event e) {
    return int{stream_wait(stream_of(s), event_of(e), 0)};
  };
  api.allocate = [=](void** p, size_t n) { return int{allocate(p, n)}; };
  api.release = [=](void* p) { return int{release(p)}; };
  api.copy = [=](void* to, const void* from, size_t n) {
    return int{copy(to, from, n, cudaMemcpyDefault)};
  };
  api.cuda_text = [=](int r) {
    return std::string(text(static_cast<cudaError_t>(r)));
  };
}

// Where LibTorch is in this process, its own NCCL; throws if that cannot be
// opened.
void* open_nccl() { return open("libnccl.so.2", PROTEAN_NCCL_FOLDER); }

struct Loaded {
  Api api;
  std::string error;  // empty: usable

  Loaded() {
    try {
      // Tensors on a GPU need it, and it brings its own NCCL.
      if (const auto& why = open_gpu_library(); !why.empty())
        throw ConfigError("comm.backend = nccl: " + why);
      // Both stay open for good: NCCL has threads of its own.
      void* cuda = open(concat("libcudart.so.", CUDART_VERSION / 1000),
                        PROTEAN_CUDART_FOLDER);
      void* nccl = open_nccl();
      add_cuda(api, cuda);
      add_nccl(api, nccl);
      int devices = 0;
      const int r = api.device_count(&devices);
      if (r != kCudaSuccess)
        error = "comm.backend = nccl: no usable GPU: " + api.cuda_text(r);
      else if (devices == 0)
        error = "comm.backend = nccl: no GPU is visible";
    } catch (const ConfigError& e) {
      error = e.what();
    }
  }
};

const Loaded& loaded() {
  static const Loaded* once = new Loaded;  // never destroyed, see above
  return *once;
}

std::string version_text() {
  int v = 0;
  try {
    void* nccl = open_nccl();
    NCCL_FUNCTION(ncclGetVersion)(&v);
  } catch (const ConfigError&) {
    return "";
  }
  return concat(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

}  // namespace

const Api& load_libraries() {
  if (!loaded().error.empty()) throw ConfigError(loaded().error);
  return loaded().api;
}

std::string version() {
  static const std::string once = version_text();
  return once;
}

}  // namespace protean::nccl
