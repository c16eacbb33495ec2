#include "protean/core/error.h"
#include "protean/generative/generative_learner.h"

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

}  // namespace

bool is_generative(const std::string& name) {
  return name == "setvae" || name == "metavae" || name == "metagan";
}

std::string generative_names() { return "setvae, metavae, metagan"; }

GenerativeLearnerPtr make_generative_learner(const LearnerOptions& learner,
                                             const GeneratorOptions& generator,
                                             const TaskShape& train,
                                             const TaskCounts& eval) {
  validate(generator, train);
  if (learner.name == "metagan")
    return std::make_shared<MetaGan>(generator, learner, train, eval);
  if (learner.name == "metavae")
    return std::make_shared<MetaVae>(generator, learner, train, eval);
  if (generator.meta != GeneratorOptions{}.meta)
    throw ConfigError("generator.meta = \"" + generator.meta +
                      "\" does nothing with learner.name = setvae; expected "
                      "metavae");
  return std::make_shared<SetVae>(generator, learner, train, eval);
}

Phi GenerativeLearner::adapted(const at::Tensor& x,
                               const std::vector<TaskId>& ids,
                               const MetaView& meta) const {
  TaskBatch batch;
  batch.ids = ids;
  batch.support.x = x;
  Phi last;
  adapt(batch, meta, [&](int, const Phi& phi) { last = phi; });
  return last;
}

}  // namespace protean
