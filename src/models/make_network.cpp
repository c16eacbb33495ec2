#include "protean/models/make_network.h"

#include "protean/core/error.h"
#include "protean/core/settings.h"
#include "protean/models/keys.h"

#include "models/char_transformer.h"
#include "models/conv4.h"
#include "models/encoder_network.h"
#include "models/mlp.h"
#include "models/resnet.h"

namespace protean {

std::vector<Entry> network_entries() {
  const std::vector<std::string> norms = {"model.norm", "model.norm_scale",
                                          "model.norm_eps"};
  const auto with = [](std::vector<std::string> keys,
                       const std::vector<std::string>& more) {
    keys.insert(keys.end(), more.begin(), more.end());
    keys.insert(keys.end(), {"model.init", "model.head_init"});
    return keys;
  };
  const auto resnet = with({"model.filters", "model.context"}, norms);
  const std::string images = "images";
  return {
      {"conv4", "four blocks of 3x3 convolution, norm and ReLU",
       "Vinyals et al. 2016, arXiv:1606.04080", images,
       with({"model.filters", "model.pool", "model.pool_blocks",
             "model.context"},
            norms)},
      {"resnet12", "four residual blocks of three convolutions",
       "Oreshkin et al. 2018, arXiv:1805.10123", images, resnet},
      {"resnet18", "eight residual blocks of two convolutions",
       "He et al. 2016, arXiv:1512.03385", images, resnet},
      {"mlp", "dense layers with ReLU", "", "values, or images as values",
       with({"model.hidden", "model.context"}, {})},
      {"encoder", "the image encoder of the generative models", "", images,
       with({"model.filters", "model.width", "model.leak", "model.init_part"},
            {})},
      {"transformer", "causal attention over characters",
       "Vaswani et al. 2017, arXiv:1706.03762", "text",
       with({"model.width", "model.layers", "model.heads", "model.context"},
            {})},
  };
}

NetworkPtr make_network(const ModelOptions& options,
                        const std::vector<int64_t>& input, int64_t outputs) {
  ModelOptions copy;
  Settings settings;
  fields(settings, copy);
  settings.read_by("model.name", network_entries());
  copy = options;
  settings.check_entries();
  if (options.name == "conv4")
    return std::make_shared<Conv4>(options, input, outputs);
  if (options.name == "resnet12" || options.name == "resnet18")
    return std::make_shared<ResNet>(options, input, outputs);
  if (options.name == "mlp")
    return std::make_shared<Mlp>(options, input, outputs);
  if (options.name == "encoder")
    return std::make_shared<EncoderNetwork>(options, input, outputs);
  if (options.name == "transformer")
    return std::make_shared<CharTransformer>(options, input, outputs);
  throw Error("model.name = " + options.name + " is in the table alone");
}

}  // namespace protean
