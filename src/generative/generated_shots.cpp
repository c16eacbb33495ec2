#include "protean/generative/generated_shots.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/tasks/added_seed.h"

#include "generative/made_of_classes.h"

namespace protean {

GeneratedShots::GeneratedShots(
    std::shared_ptr<const TaskSource> base, GenerativeLearnerPtr generator,
    std::shared_ptr<const GeneratorVersions> versions, uint32_t extra,
    double weight)
    : base_(std::move(base)),
      generator_(std::move(generator)),
      versions_(std::move(versions)),
      extra_(extra),
      weight_(static_cast<float>(weight)) {
  check_generator(*base_, *generator_);
}

TaskSpec GeneratedShots::describe(uint64_t seed, TaskId id,
                                  const StreamState& stream) const {
  return with_generator(base_->describe(seed, id, stream), seed, stream);
}

TaskSpec GeneratedShots::without(const TaskSpec& spec) {
  return without_seed(spec);
}

TaskSpec GeneratedShots::with(const TaskSpec& base, uint64_t seed) {
  return with_generator(base, seed, {});
}

TaskShape GeneratedShots::shape(const TaskSpec& spec) const {
  auto shape = base_->shape(without_seed(spec));
  shape.support += shape.ways * extra_;
  shape.weighted = weight_ < 1;
  return shape;
}

void GeneratedShots::materialise(const TaskSpec& spec, EpisodeView out) const {
  at::NoGradGuard no_grad;
  const auto inner = without_seed(spec);
  const auto shape = base_->shape(inner);
  const int64_t ways = shape.ways, shots = shape.support / shape.ways;
  std::vector<int64_t> sizes{ways, shots};
  sizes.insert(sizes.end(), shape.input.begin(), shape.input.end());
  auto real = at::empty(sizes, at::kFloat);
  std::vector<int64_t> labels(shape.support);
  EpisodeView to_real = out;
  to_real.support = {real.data_ptr<float>(), labels.data(), nullptr};
  base_->materialise(inner, to_real);

  const auto made = made_of_classes(*generator_, *versions_, spec, kAddedSlots,
                                    real, {extra_})[0];
  const int64_t values = real[0][0].numel();
  PartView to = out.support;
  const auto copy = [&](const at::Tensor& images, int64_t way, float weight) {
    const auto own = images[way];
    const int64_t n = own.size(0);
    to.x = std::copy_n(own.const_data_ptr<float>(), n * values, to.x);
    if (to.label)
      to.label =
          std::fill_n(to.label, n, labels[static_cast<size_t>(way * shots)]);
    if (to.weight) to.weight = std::fill_n(to.weight, n, weight);
  };
  for (int64_t way = 0; way < ways; ++way) {
    copy(real, way, 1);
    copy(made, way, weight_);
  }
}

}  // namespace protean
