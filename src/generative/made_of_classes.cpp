#include "generative/made_of_classes.h"

#include "protean/core/error.h"
#include "protean/tasks/added_seed.h"
#include "protean/tasks/noise.h"

namespace protean {

void check_generator(const TaskSource& base,
                     const GenerativeLearner& generator) {
  const auto shape = base.shape(base.describe(0, {}, {}));
  const int64_t shots = shape.ways ? shape.support / shape.ways : 0;
  if (shape.input != generator.image_shape() || shots == 0)
    throw ConfigError(
        "task.generated_shots: the generator makes other images than the "
        "tasks hold");
  need_support(generator, shots, "task.generated_shots with task.shots");
}

TaskSpec with_generator(TaskSpec base, uint64_t seed,
                        const StreamState& stream) {
  base.generator_version = stream.generator_version;
  return with_seed(std::move(base), seed);
}

std::vector<at::Tensor> made_of_classes(const GenerativeLearner& generator,
                                        const GeneratorVersions& versions,
                                        const TaskSpec& spec,
                                        uint32_t first_slot,
                                        const at::Tensor& real,
                                        const std::vector<int64_t>& counts) {
  // All classes at once, each as a task of its own; noise by class.
  const int64_t ways = real.size(0);
  const std::vector<TaskId> ids(static_cast<size_t>(ways), spec.id);
  const Phi phi =
      generator.adapted(real, ids, versions.at(spec.generator_version));
  std::vector<at::Tensor> made;
  uint32_t slot = first_slot;
  for (const int64_t n : counts) {
    const auto noise = [&](int64_t d) {
      return task_noise(spec.latent.back(), {spec.id}, ways * n, d,
                        Purpose::latent, slot++, real)
          .view({ways, n, d});
    };
    const auto of_code = noise(generator.code_size());
    const auto of_latent = noise(generator.latent_size());
    made.push_back(
        n == 0 ? at::Tensor()
               : generator.decode(phi, generator.code(phi, of_code), of_latent)
                     .contiguous());
  }
  return made;
}

}  // namespace protean
