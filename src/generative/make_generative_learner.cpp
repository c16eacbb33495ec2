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
                      " makes no image without one of its class; expected a "
                      "run of: setvae, metavae, metagan");
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
