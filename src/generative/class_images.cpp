#include "protean/generative/class_images.h"

#include "protean/core/error.h"
#include "protean/tasks/noise.h"

namespace protean {

void check_temperature(double temperature) {
  if (!(temperature > 0))
    throw ConfigError(
        concat("--temperature ", temperature, "; expected above 0"));
}

ClassImages::ClassImages(const GenerativeLearner& learner, const MetaView& meta,
                         const at::Tensor& support, TaskId id, uint64_t seed,
                         double temperature)
    : learner_(learner),
      id_(1, id),
      seed_(seed),
      temperature_(temperature),
      like_(support) {
  check_temperature(temperature);
  phi_ = learner.adapted(support.unsqueeze(0), id_, meta);
}

at::Tensor ClassImages::chunk(int64_t i, int64_t n) const {
  const auto noise = [&](int64_t d, int64_t which) {
    return task_noise(seed_, id_, n, d, Purpose::latent,
                      static_cast<uint32_t>(2 * i + which), like_);
  };
  return learner_.decode(phi_,
                         learner_.code(phi_, noise(learner_.code_size(), 0)),
                         temperature_ * noise(learner_.latent_size(), 1))[0];
}

}  // namespace protean
