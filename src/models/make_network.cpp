#include "protean/models/make_network.h"

#include "protean/core/error.h"
#include "protean/core/unused.h"

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
  const bool encoder = options.name == "encoder";
  if (!sequence) {
    const Unused unused("model.name = " + options.name,
                        "model.name = transformer");
    if (!encoder) unused("model.width", options.width, d.width);
    unused("model.layers", options.layers, d.layers);
    unused("model.heads", options.heads, d.heads);
  }
  if (!encoder)
    Unused("model.name = " + options.name, "model.name = encoder")(
        "model.leak", options.leak, d.leak);
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
