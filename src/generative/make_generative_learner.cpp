#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/core/unused.h"
#include "protean/generative/generative_learner.h"
#include "protean/learners/make_learner.h"

#include "generative/deform.h"
#include "generative/meta_gan.h"
#include "generative/meta_vae.h"
#include "generative/set_vae.h"

namespace protean {
namespace {

void validate(const GeneratorOptions& o, const TaskShape& train) {
  const auto at_least = [](const char* key, auto value, auto least) {
    if (!(value >= least))  // NaN too
      throw ConfigError(
          concat(key, " = ", value, "; expected at least ", least));
  };
  for (const auto& [key, value] :
       {std::pair("generator.filters", o.filters),
        std::pair("generator.features", o.features),
        std::pair("generator.hidden", o.hidden),
        std::pair("generator.code", o.code),
        std::pair("generator.latent", o.latent),
        std::pair("generator.bound_samples", o.bound_samples)})
    at_least(key, value, int64_t{1});
  at_least("generator.code_weight", o.code_weight, 0.0);
  at_least("generator.warm_up", o.warm_up, int64_t{0});
  if (train.input.size() != 3)
    throw ConfigError(concat(
        "a generative learner takes images (channels, height, width), but the "
        "data has examples of ",
        train.input.size(), " dimensions"));
  if (train.ways != 1)
    throw ConfigError(
        concat("task.ways = ", train.ways,
               "; a generative learner takes one class at a time, expected 1"));
}

// The bound needs densities of the noise, which the uniform one's network
// lacks.
void check_noise(const GeneratorOptions& o, bool gan) {
  check_choice("generator.noise", o.noise, {"normal", "uniform"});
  if (o.noise == "uniform" &&
      (!gan || o.reconstruct == "bound" || o.network == "deform"))
    throw ConfigError(
        "generator.noise = uniform needs learner.name = metagan, "
        "generator.reconstruct = mse or none, and another generator.network "
        "than deform; expected normal");
}

// Keys of generators that metagan alone looks at.
void check_gan_keys(const GeneratorOptions& o, const std::string& learner) {
  const GeneratorOptions d;
  const Unused unused("learner.name = " + learner, "learner.name = metagan");
  unused("generator.adversary", o.adversary, d.adversary);
  unused("generator.loss", o.loss, d.loss);
  unused("generator.reconstruct", o.reconstruct, d.reconstruct);
  unused("generator.variance", o.variance, d.variance);
  unused("generator.task_code", o.task_code, d.task_code);
  unused("generator.spectral_norm", o.spectral_norm, d.spectral_norm);
  unused("generator.r1", o.r1, d.r1);
  unused("generator.r1_every", o.r1_every, d.r1_every);
  unused("generator.anchor", o.anchor, d.anchor);
  unused("generator.mode_seeking", o.mode_seeking, d.mode_seeking);
  unused("generator.image_variance", o.image_variance, d.image_variance);
  unused("generator.code_cycle", o.code_cycle, d.code_cycle);
  unused("generator.proximal", o.proximal, d.proximal);
  unused("generator.average", o.average, d.average);
}

// The deformation model has neither a set's code nor layers to normalise.
// Widths may be set all the same.
void check_deform_keys(const GeneratorOptions& o) {
  const GeneratorOptions d;
  const Unused unused("a deformation model");
  unused("generator.encoder", o.encoder, d.encoder);
  unused("generator.pooling", o.pooling, d.pooling);
  unused("generator.random_shots", o.random_shots, d.random_shots);
  unused("generator.code_weight", o.code_weight, d.code_weight);
  unused("generator.task_norm", o.task_norm, d.task_norm);
}

// Keys of inner steps, which the models that make none do not look at.
void check_inner_keys(const LearnerOptions& o,
                      const GeneratorOptions& generator) {
  const LearnerOptions d;
  const Unused unused("learner.name = " + o.name,
                      "learner.name = metavae or metagan");
  unused("generator.meta", generator.meta, GeneratorOptions().meta);
  unused("learner.inner_steps", o.inner_steps, d.inner_steps);
  unused("learner.inner_lr", o.inner_lr, d.inner_lr);
  unused("learner.inner_optimizer", o.inner_optimizer, d.inner_optimizer);
  unused("learner.inner_momentum", o.inner_momentum, d.inner_momentum);
  unused("learner.inner_beta1", o.inner_beta1, d.inner_beta1);
  unused("learner.inner_beta2", o.inner_beta2, d.inner_beta2);
  unused("learner.inner_eps", o.inner_eps, d.inner_eps);
  unused("learner.second_order", o.second_order, d.second_order);
  unused("learner.adapt", o.adapt, d.adapt);
  unused("learner.eval_steps", o.eval_steps, d.eval_steps);
}

// Keys of the steps that a metagan without inner steps does not make.
// Optimiser, rate and parts may be set all the same: for `protean eval
// --learner.inner_steps N`.
void check_no_inner_steps(const LearnerOptions& o,
                          const GeneratorOptions& generator) {
  const LearnerOptions d;
  const GeneratorOptions g;
  const Unused unused("learner.inner_steps = 0", "learner.inner_steps above 0");
  unused("generator.meta", generator.meta, g.meta);
  unused("generator.proximal", generator.proximal, g.proximal);
  unused("learner.eval_steps", o.eval_steps, d.eval_steps);
}

// Settings that the learner would not look at.
void check_unused(const LearnerOptions& learner, const GeneratorOptions& o) {
  const GeneratorOptions d;
  const Unused unused("learner.name = " + learner.name,
                      "learner.name = deform");
  const bool gan = learner.name == "metagan", bends = learner.name == "deform";
  if (bends || (gan && o.network == "deform"))
    check_deform_keys(o);
  else
    unused("generator.warm_up", o.warm_up, d.warm_up);
  if (bends)
    Unused("learner.name = deform")("generator.network", o.network, d.network);
  if (!gan) check_gan_keys(o, learner.name);
  if (!gan && learner.name != "metavae") check_inner_keys(learner, o);
  if (gan && learner.inner_steps == 0) check_no_inner_steps(learner, o);
  check_few_shot_alone(learner);
}

}  // namespace

bool is_generative(const std::string& name) {
  return name == "setvae" || name == "metavae" || name == "metagan" ||
         name == "deform";
}

std::string generative_names() { return "setvae, metavae, metagan, deform"; }

GenerativeLearnerPtr make_generative_learner(const LearnerOptions& learner,
                                             const GeneratorOptions& generator,
                                             const TaskShape& train,
                                             const TaskCounts& eval) {
  validate(generator, train);
  const bool gan = learner.name == "metagan";
  check_unused(learner, generator);
  check_noise(generator, gan);
  if (gan) return std::make_shared<MetaGan>(generator, learner, train, eval);
  if (learner.name == "metavae")
    return std::make_shared<MetaVae>(generator, learner, train, eval);
  if (learner.name == "deform")
    return std::make_shared<Deform>(generator, learner, train, eval);
  return std::make_shared<SetVae>(generator, learner, train, eval);
}

void need_any_code(const GenerativeLearner& learner, const std::string& what) {
  if (!learner.draws_any_code())
    throw ConfigError(what + ": learner.name = " + learner.name() +
                      " with these settings bends support images, and draws no "
                      "class from a code alone; expected a run of setvae, "
                      "metavae or metagan with another generator.network than "
                      "deform, or for tasks generator.rule = image");
}

void need_found_codes(const GenerativeLearner& learner,
                      const std::string& what) {
  need_any_code(learner, what);
  if (!learner.finds_codes())
    throw ConfigError(what + ": learner.name = " + learner.name() +
                      " with generator.encoder = false finds no image's code; "
                      "expected a run with generator.encoder = true");
}

void need_support(const GenerativeLearner& learner, int64_t images,
                  const std::string& what) {
  if (images < learner.least_support())
    throw ConfigError(
        concat(what, ": ", images, images == 1 ? " image" : " images",
               " of a class; the model was trained on ",
               learner.least_support(), ", expected at least as many"));
}

at::Tensor GenerativeLearner::realness(const MetaView&, const at::Tensor&,
                                       const at::Tensor&) const {
  throw Error(name() + ": nothing judges images of codes alone");
}

Phi GenerativeLearner::adapted(const at::Tensor& x,
                               const std::vector<TaskId>& ids,
                               const MetaView& meta) const {
  Phi last;
  adapt_to(x, ids, meta, [&](int, const Phi& phi) { last = phi; });
  return last;
}

void GenerativeLearner::adapt_to(const at::Tensor& x,
                                 const std::vector<TaskId>& ids,
                                 const MetaView& meta,
                                 const Visit& visit) const {
  TaskBatch batch;
  batch.ids = ids;
  batch.support.x = x;
  adapt(batch, meta, visit);
}

}  // namespace protean
