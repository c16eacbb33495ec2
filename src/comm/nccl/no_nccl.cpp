// Stands in for load.cpp where nccl.h or the CUDA run-time's headers were not
// found.
#include "comm/nccl/api.h"

namespace protean::nccl {
namespace {

constexpr const char* kReason =
    "comm.backend = nccl: this build has no NCCL (nccl.h or "
    "cuda_runtime_api.h was not found); expected inproc, mpi or auto";

}  // namespace

const Api& load() { throw ConfigError(kReason); }

bool available(std::string* reason) {
  if (reason) *reason = kReason;
  return false;
}

std::string version() { return ""; }

}  // namespace protean::nccl
