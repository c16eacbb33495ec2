// Which network, and how it starts.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct ModelOptions {
  // model.name: conv4 (four blocks of 3x3 convolution, batch norm, ReLU) or mlp
  // (ReLU layers).
  std::string name = "conv4";
  // model.filters: channels of every convolution; conv4 only.
  int64_t filters = 64;
  // model.pool: max (2x2 max-pool after each block) or stride (stride-2
  // convolutions, spatial mean before the head); conv4 only.
  std::string pool = "max";
  // model.pool_blocks: how many blocks, from the first, halve the image; conv4
  // only.
  int64_t pool_blocks = 4;
  // model.norm_scale: learn a scale in the normalisation layers (the MAML paper
  // has only the shift); conv4 only.
  bool norm_scale = true;
  // model.norm_eps: added to the variance; conv4 only.
  double norm_eps = 1e-5;
  // model.hidden: widths of the hidden layers, comma-separated; mlp only.
  std::string hidden = "40,40";
  // model.context: values joined to every input of a task, which a learner may
  // adapt (cavia); mlp only.
  int64_t context = 0;
  // model.init: xavier (uniform, biases 0), torch (uniform by 1/sqrt(fan in),
  // weights and biases) or truncated (normal of deviation 0.01 cut at two
  // deviations, biases 0).
  std::string init = "xavier";
  // model.head_init: as model.init, or "normal" (deviation 1, as the MAML
  // paper's last layer), or "" for model.init.
  std::string head_init = "";
};

}  // namespace protean
