// Stands in for load.cpp where nccl.h or the CUDA run-time's headers were not
// found.
#include "comm/nccl/libraries.h"

namespace protean::nccl {
namespace {

constexpr const char* kReason =
    "comm.backend = nccl: this build has no NCCL (nccl.h or "
    "cuda_runtime_api.h was not found); expected inproc, mpi or auto";

}  // namespace

const Api& load_libraries() { throw ConfigError(kReason); }

std::string version() { return ""; }

}  // namespace protean::nccl
