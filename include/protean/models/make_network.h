// Networks by name.
#pragma once

#include <vector>

#include "protean/models/network.h"
#include "protean/models/options.h"

namespace protean {

// input: shape of one example ({C, H, W} or {d}); outputs: classes or values
// per example. Throws ConfigError naming the key on an impossible setting.
NetworkPtr make_network(const ModelOptions& options,
                        const std::vector<int64_t>& input, int64_t outputs);

}  // namespace protean
