#include "protean/models/make_network.h"

#include "protean/core/error.h"

#include "models/conv4.h"
#include "models/mlp.h"
#include "models/resnet.h"

namespace protean {

NetworkPtr make_network(const ModelOptions& options,
                        const std::vector<int64_t>& input, int64_t outputs) {
  if (options.context < 0)
    throw ConfigError(
        concat("model.context = ", options.context, "; expected at least 0"));
  if (options.name == "conv4")
    return std::make_shared<Conv4>(options, input, outputs);
  if (options.name == "resnet12" || options.name == "resnet18")
    return std::make_shared<ResNet>(options, input, outputs);
  if (options.name == "mlp" && options.norm != "batch")
    throw ConfigError(concat("model.norm = \"", options.norm,
                             "\", but model.name = mlp has no norms; expected "
                             "batch, which is not looked at"));
  if (options.name == "mlp")
    return std::make_shared<Mlp>(options, input, outputs);
  throw ConfigError(concat("model.name = \"", options.name,
                           "\"; expected one of: conv4, resnet12, resnet18, "
                           "mlp"));
}

}  // namespace protean
