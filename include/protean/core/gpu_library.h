// LibTorch's CUDA half, opened when a run asks for a GPU or for NCCL.
//
// Nothing links against it, so that one program runs with and without it. Its
// static initialisers decide what LibTorch answers about GPUs, and LibTorch
// keeps the first answer for good: ask before any ATen call.
#pragma once

#include <string>

namespace protean {

// Opens libtorch_cuda.so beside the libtorch_cpu.so of this process, once, and
// with it the NCCL that LibTorch uses. Empty: it is open, or this process has
// no LibTorch that needs it. Else the loader's own words, one line; the same at
// every call. Thread-safe.
const std::string& open_gpu_library();

// Whether this machine has an NVIDIA driver's library. Cheap, where opening the
// above takes seconds. Thread-safe.
bool has_gpu_driver();

}  // namespace protean
