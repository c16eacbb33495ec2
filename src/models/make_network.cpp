#include "protean/models/make_network.h"

#include "protean/core/error.h"

#include "models/conv4.h"
#include "models/mlp.h"

namespace protean {

NetworkPtr make_network(const ModelOptions& options,
                        const std::vector<int64_t>& input, int64_t outputs) {
  if (options.context < 0 || (options.context > 0 && options.name != "mlp"))
    throw ConfigError(concat("model.context = ", options.context,
                             "; expected 0, or with model.name = mlp 1 and "
                             "more"));
  if (options.name == "conv4")
    return std::make_shared<Conv4>(options, input, outputs);
  if (options.name == "mlp")
    return std::make_shared<Mlp>(options, input, outputs);
  throw ConfigError(concat("model.name = \"", options.name,
                           "\"; expected one of: conv4, mlp"));
}

}  // namespace protean
