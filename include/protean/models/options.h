// Which network, and how it starts.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct ModelOptions {
  // model.name: conv4 (four blocks of 3x3 convolution, norm, ReLU), resnet12,
  // resnet18, mlp (ReLU layers), encoder (as generative models have one) or,
  // for text, transformer (see models/char_transformer.h).
  std::string name = "conv4";
  // model.filters: channels of every convolution of conv4, and of the first
  // ones of a resnet.
  int64_t filters = 64;
  // model.pool: max (2x2 max-pool after each block) or stride (stride-2
  // convolutions, spatial mean before the head); conv4 only.
  std::string pool = "max";
  // model.pool_blocks: how many blocks, from the first, halve the image; conv4
  // only.
  int64_t pool_blocks = 4;
  // model.norm: batch, layer, instance, task (TaskNorm) or none; not for mlp.
  std::string norm = "batch";
  // model.norm_scale: learn a scale in the normalisation layers (the MAML paper
  // has only the shift); not for mlp.
  bool norm_scale = true;
  // model.norm_eps: added to the variance; not for mlp.
  double norm_eps = 1e-5;
  // model.hidden: widths of the hidden layers, comma-separated; mlp only.
  std::string hidden = "40,40";
  // model.context: values of a task that a learner gives (cavia): an mlp joins
  // them to every input, conv4 modulates its third block with them (FiLM), a
  // resnet every block.
  int64_t context = 0;
  // model.leak: slope of encoder's ReLU below 0; discriminators have 0.1.
  double leak = 0;
  // model.width, model.layers, model.heads: of the transformer. width also: of
  // encoder's dense layer.
  int64_t width = 64;
  int64_t layers = 2;
  int64_t heads = 4;
  // model.init: xavier (uniform, biases 0), torch (uniform by 1/sqrt(fan in),
  // weights and biases) or truncated (normal of deviation 0.01 cut at two
  // deviations, biases 0).
  std::string init = "xavier";
  // model.head_init: as model.init, or "normal" (deviation 1, as the MAML
  // paper's last layer), or "" for model.init.
  std::string head_init = "";
  // model.init_from: run whose parameters of the same name and shape training
  // starts from; empty: none.
  std::string init_from;
  // model.init_part: of a generative run, the part that model.name = encoder
  // starts from: encoder or discriminator.
  std::string init_part;
};

}  // namespace protean
