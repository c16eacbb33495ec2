#include "protean/models/make_network.h"

#include <algorithm>

#include "protean/core/check_entries.h"
#include "protean/core/error.h"
#include "protean/models/keys.h"

#include "models/char_transformer.h"
#include "models/conv4.h"
#include "models/encoder_network.h"
#include "models/mlp.h"
#include "models/resnet.h"

namespace protean {
namespace {

using Shape = std::vector<int64_t>;

struct Row {
  Entry entry;
  NetworkPtr (*make)(const ModelOptions&, const Shape& input, int64_t outputs);
};

template <typename T>
NetworkPtr plain(const ModelOptions& o, const Shape& input, int64_t outputs) {
  return std::make_shared<T>(o, input, outputs);
}

using Keys = std::vector<std::string>;

// And what all networks read.
Keys with(Keys keys, const Keys& more = {}) {
  keys.insert(keys.end(), more.begin(), more.end());
  keys.insert(keys.end(), {"model.init", "model.head_init"});
  return keys;
}

const Keys kNorms = {"model.norm", "model.norm_scale", "model.norm_eps"};
const Keys kResnet = with({"model.filters", "model.context"}, kNorms);

// In the order in which they are listed to users.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {{"conv4", "four blocks of 3x3 convolution, norm and ReLU",
        "Vinyals et al. 2016, arXiv:1606.04080", "images",
        with({"model.filters", "model.pool", "model.pool_blocks",
              "model.context"},
             kNorms)},
       plain<Conv4>},
      {{"resnet12", "four residual blocks of three convolutions",
        "Oreshkin et al. 2018, arXiv:1805.10123", "images", kResnet},
       plain<ResNet>},
      {{"resnet18", "eight residual blocks of two convolutions",
        "He et al. 2016, arXiv:1512.03385", "images", kResnet},
       plain<ResNet>},
      {{"mlp", "dense layers with ReLU", "", "values, or images as values",
        with({"model.hidden", "model.context"})},
       plain<Mlp>},
      {{"encoder", "the image encoder of the generative models", "", "images",
        with(
            {"model.filters", "model.width", "model.leak", "model.init_part"})},
       plain<EncoderNetwork>},
      {{"transformer", "causal attention over characters",
        "Vaswani et al. 2017, arXiv:1706.03762", "text",
        with({"model.width", "model.layers", "model.heads", "model.context"})},
       plain<CharTransformer>},
  };
  return all;
}

}  // namespace

std::vector<Entry> network_entries() {
  std::vector<Entry> entries;
  for (const auto& row : rows()) entries.push_back(row.entry);
  return entries;
}

NetworkPtr make_network(const ModelOptions& options,
                        const std::vector<int64_t>& input, int64_t outputs) {
  check_entries({{"model.name", network_entries()}}, options);
  return std::find_if(
             rows().begin(), rows().end(),
             [&](const Row& row) { return row.entry.name == options.name; })
      ->make(options, input, outputs);
}

}  // namespace protean
