#include "generative/gan_settings.h"

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/learners/inner_optimizer.h"

namespace protean {
namespace {

void check(bool good, const char* key, double value, const char* expected) {
  if (!good)
    throw ConfigError(concat(key, " = ", value, "; expected ", expected));
}

void check_weights(const GeneratorOptions& o) {
  for (const auto& [key, value] :
       {std::pair("generator.adversary", o.adversary),
        std::pair("generator.r1", o.r1),
        std::pair("generator.anchor", o.anchor),
        std::pair("generator.mode_seeking", o.mode_seeking),
        std::pair("generator.variance", o.variance),
        std::pair("generator.image_variance", o.image_variance),
        std::pair("generator.code_cycle", o.code_cycle),
        std::pair("generator.proximal", o.proximal)})
    check(value >= 0, key, value, "a value of 0 or above");
  check(o.r1_every >= 1, "generator.r1_every", static_cast<double>(o.r1_every),
        "at least 1");
  check(o.average >= 0 && o.average < 1, "generator.average", o.average,
        "a value in [0, 1)");
}

// What the one or the other kind of generator rules out.
void check_generator(const GeneratorOptions& o, const LearnerOptions& learner) {
  check_choice("generator.network", o.network,
               {"convolutions", "mlp", "deform"});
  if (o.network != "deform") {
    check_choice("learner.adapt", learner.adapt,
                 {"all", "head", "film", "code"});
    if (o.code_cycle > 0 && !o.encoder)
      throw ConfigError(
          concat("generator.code_cycle = ", o.code_cycle,
                 " needs codes of images; expected generator.encoder = true"));
    return;
  }
  check_choice("learner.adapt", learner.adapt, {"all", "head"});
  check(o.code_cycle == 0, "generator.code_cycle", o.code_cycle,
        "0 with generator.network = deform, whose images have no code");
  if (o.reconstruct == "mse" || o.task_norm)
    throw ConfigError(
        "generator.reconstruct = mse and generator.task_norm do nothing with "
        "generator.network = deform; expected bound or none, and false");
}

}  // namespace

void check_gan_settings(const GeneratorOptions& o,
                        const LearnerOptions& learner) {
  check_weights(o);
  check_choice("generator.loss", o.loss, {"hinge", "bce", "wasserstein"});
  check_choice("generator.reconstruct", o.reconstruct,
               {"bound", "mse", "none"});
  check_choice("generator.meta", o.meta, {"maml", "reptile"});
  check_generator(o, learner);
  if (o.reconstruct == "none" && o.adversary == 0)
    throw ConfigError(
        "generator.reconstruct = none and generator.adversary = 0 leave the "
        "generator nothing to learn from; expected one of them");
  if (o.task_code && !o.encoder)
    throw ConfigError(
        "generator.task_code = true tells the discriminator a code that no "
        "image has with generator.encoder = false; expected false");
  check(learner.inner_steps >= 0, "learner.inner_steps", learner.inner_steps,
        "0 or above");
  if (learner.inner_steps > 0) check_inner_steps(learner);
}

}  // namespace protean
