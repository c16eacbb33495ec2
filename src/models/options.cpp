#include "protean/core/settings.h"
#include "protean/models/keys.h"

namespace protean {

void fields(Settings& s, ModelOptions& o) {
  s.add("model.name", &o.name)
      .says("network that turns an example into features")
      .when(
          "conv4 is the usual one for small images, resnet12 and resnet18 for "
          "larger ones; mlp for values and points, transformer for text, "
          "encoder to start from a generative model's encoder")
      .also_called({"backbone", "architecture"});
  s.add("model.filters", &o.filters)
      .says(
          "channels of conv4's convolutions; of the first block of a resnet "
          "and of encoder, whose later blocks have more")
      .when(
          "fewer are faster and over-fit less on small data; time grows with "
          "the square")
      .at_least(1)
      .also_called({"num_filters", "n_filters"});
  s.add("model.pool", &o.pool)
      .says(
          "how a block of conv4 halves the image: max (2x2 max-pooling) or "
          "stride (convolutions of stride 2, spatial mean before the head)")
      .when("stride is about three times as fast, max usually more accurate")
      .one_of({"max", "stride"});
  s.add("model.pool_blocks", &o.pool_blocks)
      .says("how many of conv4's four blocks, from the first, halve the image")
      .when(
          "fewer keep larger maps of features, which learner.name = relation "
          "compares")
      .within(1, 4);
  s.add("model.norm", &o.norm)
      .says(
          "normalisation after each convolution: by the moments of the batch, "
          "of each example (layer, instance), of both as TaskNorm learns to "
          "blend them (task), or none")
      .when(
          "batch is what most published results use; layer and instance make "
          "predictions independent of the other examples; task needs "
          "learner.query_norm = support")
      .one_of({"batch", "layer", "instance", "task", "none"});
  s.add("model.norm_scale", &o.norm_scale)
      .says("whether normalisation layers learn a scale beside their shift")
      .when("false reproduces the MAML paper, which has the shift alone")
      .only_with("model.norm", {"batch", "layer", "instance", "task"});
  s.add("model.norm_eps", &o.norm_eps)
      .says("added to the variance that a normalisation layer divides by")
      .when(
          "raise it when features are nearly constant; other frameworks have "
          "1e-5 or 1e-3")
      .above(0)
      .only_with("model.norm", {"batch", "layer", "instance", "task"});
  s.add("model.hidden", &o.hidden)
      .says("widths of mlp's hidden layers, from the input on, comma-separated")
      .when(
          "40,40 is the sinusoid network of the MAML paper; raise them when "
          "the training loss stays high")
      .also_called({"hidden_sizes", "hidden_layers"});
  s.add("model.context", &o.context)
      .says(
          "context values of a task, the only ones that cavia adapts; the "
          "network is modulated by them")
      .when(
          "5 for sinusoids, 100 for images in the CAVIA paper; too few cannot "
          "tell tasks apart")
      .at_least(0);
  s.add("model.leak", &o.leak)
      .says("slope of encoder's ReLU below 0")
      .when("0.1 when model.init_part = discriminator, whose layers have it")
      .within(0, 1)
      .below(1);
  s.add("model.width", &o.width)
      .says("values per character inside transformer; of encoder's dense layer")
      .when("raise it with the amount of text; a multiple of model.heads")
      .at_least(1)
      .also_called({"d_model", "embed_dim"});
  s.add("model.layers", &o.layers)
      .says("blocks of transformer")
      .when("raise it with the amount of text; time grows in proportion")
      .at_least(1)
      .also_called({"num_layers", "n_layer"});
  s.add("model.heads", &o.heads)
      .says("attention heads of each block of transformer")
      .when("model.width must be a multiple of it")
      .at_least(1)
      .also_called({"num_heads", "n_head"});
  s.add("model.init", &o.init)
      .says(
          "distribution of the initial weights: xavier (uniform, biases 0), "
          "torch (uniform by 1/sqrt(fan-in), biases too) or truncated (normal "
          "of deviation 0.01, cut at two deviations)")
      .when(
          "to reproduce a published result; torch is what PyTorch layers "
          "start from")
      .one_of({"xavier", "torch", "truncated"});
  s.add("model.head_init", &o.head_init)
      .says(
          "the same for the last layer alone: as model.init, or normal (of "
          "deviation 1); empty: as model.init")
      .when("normal is what the MAML paper's last layer starts from")
      .one_of({"", "xavier", "torch", "truncated", "normal"});
  s.add("model.init_from", &o.init_from)
      .says(
          "folder of a run whose parameters of the same name and shape "
          "training starts from; empty: from random values")
      .when(
          "to meta-train from a pre-trained network, or to fine-tune a "
          "generative model")
      .resumes(Resume::may_change)
      .also_called({"pretrained", "init_checkpoint"});
  s.add("model.init_part", &o.init_part)
      .says(
          "part of a generative run that model.name = encoder starts from; "
          "empty: parameters of the same name")
      .when(
          "encoder for what the generative model sees in an image, "
          "discriminator for what tells real images from made ones")
      .one_of({"", "encoder", "discriminator"})
      .only_if("model.init_from", "a run in model.init_from",
               [](const Settings& all) {
                 return !all.value("model.init_from").empty();
               });
}

}  // namespace protean
