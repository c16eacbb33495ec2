#include "protean/core/settings.h"
#include "protean/generative/keys.h"

namespace protean {
namespace {

// The deformation model has neither a set's code nor layers to normalise.
bool has_codes(const Settings& s) {
  return !s.is("generator.network", {"deform"});
}
bool makes_steps(const Settings& s) {
  return s.value("learner.inner_steps") != "0";
}
bool encodes(const Settings& s) {
  return has_codes(s) && s.is("generator.encoder", {"true"});
}

constexpr const char* kCodes = "another generator.network than deform";
constexpr const char* kSteps = "learner.inner_steps above 0";

void shape_fields(Settings& s, GeneratorOptions& o) {
  s.add("generator.network", &o.network)
      .says(
          "what makes images of a code and noise: convolutions, mlp (four "
          "dense layers, each twice as wide as the one before) or deform "
          "(bends a support image; metagan alone)")
      .when(
          "convolutions for most images; deform for handwriting from one or "
          "two drawings")
      .one_of({"convolutions", "mlp", "deform"});
  s.add("generator.filters", &o.filters)
      .says(
          "channels of the widest image inside; coarser ones have twice as "
          "many")
      .when("more for natural images; time grows with its square")
      .at_least(1);
  s.add("generator.features", &o.features)
      .says("values that describe one image")
      .when("128 to 512; more for varied images")
      .at_least(1);
  s.add("generator.hidden", &o.hidden)
      .says("width of dense layers")
      .when("as generator.features")
      .at_least(1);
  s.add("generator.code", &o.code)
      .says("values that describe a class")
      .when("64 to 256; too few and classes look alike")
      .at_least(1)
      .only_if("generator.network", kCodes, has_codes);
  s.add("generator.latent", &o.latent)
      .says("values that tell images of one class apart")
      .when("few, or it takes over what the class's code should say")
      .at_least(1)
      .also_called({"latent_dim", "z_dim"});
  s.add("generator.encoder", &o.encoder)
      .says(
          "whether the class's code comes from its support images; false: "
          "from its prior, and only inner steps see the class")
      .when("false for a plain generator that is fine-tuned on each class")
      .only_if("generator.network", kCodes, has_codes);
  s.add("generator.pooling", &o.pooling)
      .says(
          "how a set of images becomes one code: moments (mean and variance of "
          "their features) or attention (four learnt queries)")
      .when("attention when the images of a class differ much")
      .one_of({"moments", "attention"})
      .only_if("generator.encoder",
               "generator.encoder = true of another network than deform",
               encodes);
  s.add("generator.random_shots", &o.random_shots)
      .says(
          "whether a training task shows a random number of its support "
          "images, from 1 to task.shots; false: all")
      .when("false when there are always as many")
      .only_if("generator.network", kCodes, has_codes);
  s.add("generator.binary", &o.binary)
      .says(
          "pixels are 0 or 1, and what lies between is rounded; false: any "
          "value between, by a continuous Bernoulli")
      .when("false for grey or colour images");
  s.add("generator.task_norm", &o.task_norm)
      .says(
          "the decoder's layers are normalised, scaled and shifted as the "
          "class's code says")
      .when("with convolutions, when samples follow their class too little")
      .only_with("generator.network", {"convolutions"});
}

void loss_fields(Settings& s, GeneratorOptions& o) {
  s.add("generator.code_weight", &o.code_weight)
      .says("weight of the code's divergence from its prior, per query image")
      .when(
          "one over the images of a class makes the loss a bound on the "
          "likelihood of the class; lower lets codes say more")
      .at_least(0)
      .only_if("generator.network", kCodes, has_codes);
  s.add("generator.warm_up", &o.warm_up)
      .says(
          "meta-steps over which the latent's divergence from its prior comes "
          "to count fully, in a deformation model")
      .when("a few hundred when all samples of a class look the same")
      .at_least(0)
      .only_if("learner.name",
               "learner.name = deform, or metagan with generator.network = "
               "deform",
               [](const Settings& all) {
                 return all.is("generator.network", {"deform"}) ||
                        all.is("learner.name", {"deform"});
               });
  s.add("generator.bound_samples", &o.bound_samples)
      .says("importance samples of the bound in evaluation")
      .when("more give a tighter bound and take longer; papers have up to 5000")
      .at_least(1);
  s.add("generator.meta", &o.meta)
      .says(
          "how the meta-gradient comes from the inner steps: maml "
          "(differentiated) or reptile (the way they went)")
      .when("reptile with many inner steps, when memory is short")
      .one_of({"maml", "reptile"})
      .only_if("learner.inner_steps", kSteps, makes_steps);
  s.add("generator.proximal", &o.proximal)
      .says(
          "in inner steps, half of it times the squared distance of the "
          "generator's parameters from their start joins the loss; 0: off")
      .when("when fine-tuning on a few images forgets how to draw")
      .at_least(0)
      .only_if("learner.inner_steps", kSteps, makes_steps);
}

void adversary_fields(Settings& s, GeneratorOptions& o) {
  s.add("generator.adversary", &o.adversary)
      .says(
          "weight of the discriminator's verdict in the generator's loss, "
          "nats per image")
      .when("lower when samples break up, higher when they stay blurred")
      .at_least(0);
  s.add("generator.loss", &o.loss)
      .says(
          "loss of the discriminator and its adversary: hinge, bce "
          "(cross-entropy, non-saturating) or wasserstein (its gradient "
          "penalty weighs generator.r1: 10 in the paper)")
      .when("bce for small plain GANs, hinge otherwise")
      .one_of({"hinge", "bce", "wasserstein"});
  s.add("generator.reconstruct", &o.reconstruct)
      .says(
          "what anchors the generator to real images: bound (its own, of the "
          "set VAE or the deformation model), mse (squared error of images "
          "made from the class's code) or none (a plain GAN)")
      .when("none only with enough data; bound needs generator.noise = normal")
      .one_of({"bound", "mse", "none"});
  s.add("generator.noise", &o.noise)
      .says(
          "noise within a class: normal (its mean and variance follow from "
          "the code) or uniform in [-1, 1], without the bound")
      .when("uniform to reproduce papers that have it")
      .one_of({"normal", "uniform"});
  s.add("generator.task_code", &o.task_code)
      .says("whether the discriminator is told the class's code")
      .when("false for a discriminator that judges by looks alone");
  s.add("generator.spectral_norm", &o.spectral_norm)
      .says("whether the discriminator's layers are kept at spectral norm 1")
      .when(
          "false with another way to restrain it, such as a gradient "
          "penalty");
  s.add("generator.r1", &o.r1)
      .says(
          "weight of the discriminator's gradient penalty on real images; 0: "
          "none")
      .when("higher when training oscillates")
      .at_least(0)
      .also_called({"r1_gamma"});
  s.add("generator.r1_every", &o.r1_every)
      .says(
          "meta-steps between gradient penalties, each of which then counts "
          "as many times")
      .when("1 to pay for it in every step")
      .at_least(1)
      .only_if("generator.r1", "generator.r1 above 0", [](const Settings& all) {
        return all.value("generator.r1") != "0";
      });
  s.add("generator.anchor", &o.anchor)
      .says(
          "pull of the discriminator's outputs towards their running means "
          "over tasks (LeCam); 0: off")
      .when("higher for few training classes")
      .at_least(0);
  s.add("generator.variance", &o.variance)
      .says(
          "weight of the variance of the discriminator's mean outputs over "
          "tasks; 0: off")
      .when("when it judges some classes by other standards than others")
      .at_least(0);
  s.add("generator.mode_seeking", &o.mode_seeking)
      .says(
          "weight of a loss that keeps images of different noise apart; 0: "
          "off")
      .when("higher when the images of a class look the same")
      .at_least(0);
  s.add("generator.image_variance", &o.image_variance)
      .says(
          "weight of the variance, over tasks, of the images that the same "
          "noise makes; 0: off")
      .when("when a noise value should mean the same in every class")
      .at_least(0);
  s.add("generator.code_cycle", &o.code_cycle)
      .says(
          "weight of the squared difference between the code that an image "
          "was made from and the one found in it; 0: off")
      .when("when samples do not look like their class")
      .at_least(0)
      .only_if("generator.encoder",
               "generator.encoder = true of another network than deform",
               encodes);
  s.add("generator.average", &o.average)
      .says(
          "decay of the averaged generator, which is the one that makes "
          "images; 0: the last one makes them")
      .when("0.99 for runs of a few hundred steps")
      .within(0, 1)
      .below(1)
      .also_called({"ema", "ema_decay"});
}

// Sources of task.mix.
Setting::Holds mixes(const char* source) {
  return [source](const Settings& s) {
    return s.value("task.mix").find(source) != std::string::npos;
  };
}

bool makes_classes(const Settings& s) {
  return mixes("generated")(s) &&
         s.is("generator.rule", {"class", "n", "ro", "oc"});
}

}  // namespace

void fields(Settings& s, GeneratorOptions& o) {
  shape_fields(s, o);
  loss_fields(s, o);
  adversary_fields(s, o);
}

void fields(Settings& s, GeneratedTaskOptions& o) {
  s.add("generator.from", &o.from)
      .says(
          "folder of the run whose generator makes tasks or shots, frozen at "
          "its newest checkpoint")
      .when("with generated or clustered in task.mix, or task.generated_shots")
      // Its weights are part of the data's checksum.
      .resumes(Resume::may_change)
      .only_if("task.mix",
               "generated or clustered in it, or task.generated_shots above 0",
               [](const Settings& all) {
                 return mixes("generated")(all) || mixes("clustered")(all) ||
                        all.value("task.generated_shots") != "0";
               });
  s.add("generator.rule", &o.rule)
      .says(
          "codes of a generated class's images: class (one code), n (around "
          "it), ro (on the way to elsewhere), oc (on the way to another "
          "class), or image (a class is one training image and what is made "
          "of it)")
      .when("n, ro and oc make classes more varied; image needs no codes")
      .one_of({"class", "n", "ro", "oc", "image"})
      .only_if("task.mix", "generated in it", mixes("generated"));
  s.add("generator.spread", &o.spread)
      .says(
          "how far codes lie from their class: with n the deviation, up to "
          "10; with ro and oc the share of the way, up to 1")
      .when("lower when queries are no longer of their class")
      .only_if("task.mix", "generated in it", mixes("generated"))
      .only_with("generator.rule", {"n", "ro", "oc"});
  s.add("generator.separation", &o.separation)
      .says(
          "classes are drawn again until the two nearest are further apart "
          "than in this share of all draws, 0 to 0.99")
      .when("higher for easier tasks")
      .only_if("task.mix", "generated in it", mixes("generated"))
      .only_if("generator.rule", "generator.rule = class, n, ro or oc",
               makes_classes);
  s.add("generator.separability", &o.separability)
      .says(
          "share of a task's queries, 0 to 1, that must be nearest to their "
          "own class, or the task is made again; 0 takes every task")
      .when("higher for cleaner and slower tasks")
      .only_if("task.mix", "generated in it", mixes("generated"))
      .only_if("generator.rule", "generator.rule = class, n, ro or oc",
               makes_classes);
  s.add("generator.tries", &o.tries)
      .says(
          "images made for each one of a task, of which the one stays that "
          "looks most real to the generator's discriminator")
      .when("above 1 with a run of metagan whose samples vary in quality")
      .only_if("task.mix", "generated in it", mixes("generated"))
      .only_if("generator.rule", "generator.rule = class, n, ro or oc",
               makes_classes);
  s.add("generator.clusters", &o.clusters)
      .says("clusters of each partition of the training images")
      .when("about the number of classes there are, or a few times it")
      .only_if("task.mix", "clustered in it", mixes("clustered"));
  s.add("generator.partitions", &o.partitions)
      .says("partitions into clusters, each of another random metric")
      .when("more for more varied tasks")
      .at_least(1)
      .only_if("task.mix", "clustered in it", mixes("clustered"));
  s.add("generator.refresh", &o.refresh)
      .says(
          "the generator trains beside the run, and every so many meta-steps "
          "a new version of it takes over, as many steps later; 0: it is "
          "frozen")
      .when("to begin meta-training before the generator is good")
      .at_least(0)
      .only_if("task.mix", "generated in it", mixes("generated"));
  s.add("generator.refresh_steps", &o.refresh_steps)
      .says("meta-steps of the generator's training from version to version")
      .at_least(1)
      .only_if("generator.refresh", "generator.refresh above 0",
               [](const Settings& all) {
                 return all.value("generator.refresh") != "0";
               });
}

}  // namespace protean
