// What load() of api.h opens; load.cpp, or no_nccl.cpp where its headers were
// not found when this was built.
#pragma once

#include "comm/nccl/api.h"

namespace protean::nccl {

// Throws ConfigError saying why the libraries cannot be used.
const Api& load_libraries();

}  // namespace protean::nccl
