#include "protean/models/make_network.h"

#include "protean/core/error.h"

#include "models/char_transformer.h"
#include "models/conv4.h"
#include "models/encoder_network.h"
#include "models/mlp.h"
#include "models/resnet.h"

namespace protean {

NetworkPtr make_network(const ModelOptions& options,
                        const std::vector<int64_t>& input, int64_t outputs) {
  if (options.context < 0)
    throw ConfigError(
        concat("model.context = ", options.context, "; expected at least 0"));
  const ModelOptions d;
  const bool sequence = options.name == "transformer";
  if (!sequence && (options.layers != d.layers || options.heads != d.heads ||
                    (options.width != d.width && options.name != "encoder")))
    throw ConfigError(
        concat("model.width, model.layers and model.heads are for model.name = "
               "transformer; this is ",
               options.name));
  if (options.name != "encoder" && options.leak != d.leak)
    throw ConfigError(concat("model.leak = ", options.leak,
                             " is for model.name = encoder; this is ",
                             options.name));
  if (options.name == "conv4")
    return std::make_shared<Conv4>(options, input, outputs);
  if (options.name == "resnet12" || options.name == "resnet18")
    return std::make_shared<ResNet>(options, input, outputs);
  if ((options.name == "mlp" || sequence || options.name == "encoder") &&
      options.norm != "batch")
    throw ConfigError(concat("model.norm = \"", options.norm,
                             "\", but model.name = ", options.name,
                             " has no such norms; expected batch, which is not "
                             "looked at"));
  if (options.name == "mlp")
    return std::make_shared<Mlp>(options, input, outputs);
  if (options.name == "encoder")
    return std::make_shared<EncoderNetwork>(options, input, outputs);
  if (sequence)
    return std::make_shared<CharTransformer>(options, input, outputs);
  throw ConfigError(concat("model.name = \"", options.name,
                           "\"; expected one of: conv4, resnet12, resnet18, "
                           "mlp, encoder, transformer"));
}

}  // namespace protean
