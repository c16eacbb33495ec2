#include "protean/generative/class_sampler.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/tasks/noise.h"

namespace protean {
namespace {

constexpr int64_t kChunk = 100;  // images decoded together

}  // namespace

void check_temperature(double temperature) {
  if (!(temperature > 0))
    throw ConfigError(
        concat("--temperature ", temperature, "; expected above 0"));
}

ClassSampler::ClassSampler(const GenerativeLearner& learner,
                           const MetaView& meta, const at::Tensor& support,
                           TaskId id, uint64_t seed, double temperature)
    : learner_(learner),
      id_(1, id),
      seed_(seed),
      temperature_(temperature),
      like_(support) {
  check_temperature(temperature);
  phi_ = learner.adapted(support.unsqueeze(0), id_, meta);
}

void ClassSampler::draw(
    int64_t count,
    const std::function<void(int64_t, const at::Tensor&)>& use) const {
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    const auto noise = [&](int64_t d, int64_t which) {
      return task_noise(
          seed_, id_, std::min(kChunk, count - begin), d, Purpose::latent,
          static_cast<uint32_t>(2 * (begin / kChunk) + which), like_);
    };
    const auto code = learner_.code(phi_, noise(learner_.code_size(), 0));
    use(begin,
        learner_.decode(phi_, code,
                        temperature_ * noise(learner_.latent_size(), 1))[0]);
  }
}

}  // namespace protean
