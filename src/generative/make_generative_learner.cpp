#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/generative/generative_learner.h"

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

// Keys that metagan alone looks at.
void check_gan_keys(const GeneratorOptions& o, const std::string& learner) {
  const GeneratorOptions d;
  auto others = o;
  others.adversary = d.adversary;
  others.loss = d.loss;
  others.reconstruct = d.reconstruct;
  others.variance = d.variance;
  others.task_code = d.task_code;
  others.r1 = d.r1;
  others.r1_every = d.r1_every;
  others.anchor = d.anchor;
  others.mode_seeking = d.mode_seeking;
  others.image_variance = d.image_variance;
  others.code_cycle = d.code_cycle;
  others.proximal = d.proximal;
  others.average = d.average;
  if (!(others == o))
    throw ConfigError(
        "generator.adversary, loss, reconstruct, variance, task_code, r1, "
        "r1_every, anchor, mode_seeking, image_variance, code_cycle, proximal "
        "and average do nothing with learner.name = " +
        learner + "; expected metagan, or none of them");
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
  const bool bends =
      learner.name == "deform" || (gan && generator.network == "deform");
  if (!bends && generator.warm_up != 0)
    throw ConfigError(concat("generator.warm_up = ", generator.warm_up,
                             " does nothing with learner.name = ", learner.name,
                             "; expected deform"));
  if (bends && !generator.encoder)
    throw ConfigError(
        "generator.encoder = false does nothing with a deformation model; "
        "expected true");
  if (learner.name == "deform" &&
      generator.network != GeneratorOptions{}.network)
    throw ConfigError("generator.network = \"" + generator.network +
                      "\" does nothing with learner.name = deform");
  check_noise(generator, gan);
  if (!gan) check_gan_keys(generator, learner.name);
  if (gan) return std::make_shared<MetaGan>(generator, learner, train, eval);
  if (learner.name == "metavae")
    return std::make_shared<MetaVae>(generator, learner, train, eval);
  if (generator.meta != GeneratorOptions{}.meta)
    throw ConfigError("generator.meta = \"" + generator.meta +
                      "\" does nothing with learner.name = " + learner.name +
                      "; expected metavae, metagan");
  if (learner.name == "deform")
    return std::make_shared<Deform>(generator, learner, train, eval);
  return std::make_shared<SetVae>(generator, learner, train, eval);
}

void need_code_space(const GenerativeLearner& learner,
                     const std::string& what) {
  if (!learner.code_is_space())
    throw ConfigError(what + ": learner.name = " + learner.name() +
                      " with these settings has no codes that images can be "
                      "made from and found by alone; expected a run of "
                      "setvae, metavae or metagan with generator.encoder = "
                      "true and another generator.network than deform");
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
