// What the user says about generative models: section `generator` of the
// configuration.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct GeneratorOptions {
  // generator.network: what makes images of a code and noise.
  //   convolutions  and what judges them (metagan)
  //   mlp           four hidden dense layers, each twice as wide as the one
  //                 before; what judges has two; all but deform
  //   deform        the deformation model, which bends a support image; metagan
  std::string network = "convolutions";
  // generator.filters: channels of the widest image; coarser ones have twice as
  // many.
  int64_t filters = 32;
  int64_t features = 128;  // generator.features: values that describe an image
  int64_t hidden = 256;    // generator.hidden: width of dense layers
  int64_t code = 64;       // generator.code: values that describe a class
  int64_t latent = 16;  // generator.latent: values that tell images of a class
                        // apart
  // generator.encoder: the class's code comes from its support images; false:
  // from its prior, and only inner steps tell the class; all but deform.
  bool encoder = true;
  // generator.pooling: how a set of images becomes one code.
  //   moments    mean and variance of their features
  //   attention  four learnt queries over their features
  std::string pooling = "moments";
  // generator.random_shots: a training task shows 1 to task.shots of its
  // support images, at random; false shows all.
  bool random_shots = true;
  // generator.code_weight: of the code's divergence from its prior, per query
  // image. One over the images of a class makes the loss a bound on the joint
  // likelihood of the class.
  double code_weight = 0.05;
  // generator.bound_samples: importance samples of evaluation's bound.
  int64_t bound_samples = 10;
  // generator.binary: pixels are 0 or 1, as Omniglot's are; what lies between
  // (distorted drawings) is rounded, and so are samples. false: any value
  // between, by a continuous Bernoulli.
  bool binary = true;

  // generator.warm_up: steps over which the latent's divergence from its prior
  // comes to count fully; deform.
  int64_t warm_up = 0;
  // generator.meta: maml or reptile, how the meta-gradient comes from the inner
  // steps; metavae and metagan.
  std::string meta = "maml";
  // Of metagan alone:
  // generator.adversary: weight of the discriminator's word in the generator's
  // loss, in nats per image.
  double adversary = 10;
  // generator.loss: of discriminator and adversary: hinge, bce (non-saturating)
  // or wasserstein (its gradient penalty is on images between real and made
  // ones, with r1 for its weight: 10 in the paper).
  std::string loss = "hinge";
  // generator.reconstruct: what anchors the generator to real images.
  //   bound  its own: the set VAE's, or the deformation model's
  //   mse    squared error, summed over pixels, of images made from the
  //          class's code and noise
  //   none   nothing: a plain GAN
  std::string reconstruct = "bound";
  // generator.noise: of images within a class: normal (of a mean and variance
  // that follow from the code), or uniform in [-1, 1], without the bound.
  std::string noise = "normal";
  // generator.variance: of the discriminator's mean outputs over tasks, about
  // their running means; 0 = off.
  double variance = 0;
  // generator.task_code: the discriminator is told the class's code.
  bool task_code = true;
  // generator.spectral_norm: of the discriminator's layers.
  bool spectral_norm = true;
  // generator.r1: gradient penalty on real images, every r1_every steps.
  double r1 = 1;
  int64_t r1_every = 8;  // generator.r1_every
  // generator.anchor: pulls the discriminator's outputs towards their running
  // means over tasks (LeCam); 0 = off.
  double anchor = 0.1;
  // generator.mode_seeking: keeps images apart where their noise is; 0 = off.
  double mode_seeking = 1;
  // generator.image_variance: of the images that the same noise makes, over
  // tasks, about their running means; 0 = off.
  double image_variance = 0;
  // generator.code_cycle: of squared differences between the code that an image
  // was made from and the one found in it; 0 = off.
  double code_cycle = 0;
  // generator.proximal: in inner steps, half of it times the squared distance
  // of the generator's parameters from where they started; 0 = off.
  double proximal = 0;
  // generator.average: of the averaged generator that makes images; 0 = the
  // last one does.
  double average = 0.999;
  // generator.task_norm: the decoder's layers are normalised, scaled and
  // shifted as the class's code says (code_norm.h); convolutions.
  bool task_norm = false;

  bool operator==(const GeneratorOptions&) const = default;
};

// Tasks that a trained generator makes (task.mix).
struct GeneratedTaskOptions {
  // generator.from: run of the generator, frozen at its newest checkpoint.
  std::string from;
  // generator.rule: codes of a class's images: class, n, ro or oc; see
  // generated_tasks.h. image: a class is one training image and what is made of
  // it; image_tasks.h.
  std::string rule = "class";
  // generator.spread: of n: deviation about the class; of ro and oc: share of
  // the way to elsewhere.
  double spread = 0.3;
  // generator.separation: classes are drawn again until the two nearest are
  // further apart than in this share of all draws.
  double separation = 0.5;
  // generator.separability: share of queries that must be nearest to their own
  // class; 0 takes every task.
  double separability = 0.6;
  // generator.tries: images made for each one of a task; the discriminator's
  // choice of them stays. Above 1 with a run of metagan.
  int64_t tries = 1;
  // generator.clusters: of clustered tasks, per partition.
  int64_t clusters = 500;
  int partitions = 10;  // generator.partitions: of clustered tasks
  // generator.refresh: the generator trains beside the run, and every so many
  // steps a new version of it takes over, as many steps later; 0 = frozen.
  int64_t refresh = 0;
  // generator.refresh_steps: the generator's meta-steps from version to
  // version.
  int64_t refresh_steps = 20;

  bool operator==(const GeneratedTaskOptions&) const = default;
};

}  // namespace protean
