#include "protean/generative/generated_shots.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/tasks/noise.h"

namespace protean {
namespace {

// The last latent seed of a spec is this source's, the others the base's.
TaskSpec of_base(TaskSpec spec) {
  spec.latent.pop_back();
  return spec;
}

}  // namespace

GeneratedShots::GeneratedShots(
    std::shared_ptr<const TaskSource> base, GenerativeLearnerPtr generator,
    std::shared_ptr<const GeneratorVersions> versions, uint32_t extra)
    : base_(std::move(base)),
      generator_(std::move(generator)),
      versions_(std::move(versions)),
      extra_(extra) {
  const auto shape = base_->shape(base_->describe(0, {}, {}));
  const int64_t shots = shape.ways ? shape.support / shape.ways : 0;
  if (shape.input != generator_->image_shape() || shots == 0)
    throw ConfigError(
        "task.generated_shots: the generator makes other images than the "
        "tasks hold");
  if (shots < generator_->least_support())
    throw ConfigError(concat("task.shots = ", shots,
                             "; task.generated_shots needs ",
                             generator_->least_support(),
                             ", as many as its generator was trained on"));
}

TaskSpec GeneratedShots::describe(uint64_t seed, TaskId id,
                                  const StreamState& stream) const {
  auto spec = base_->describe(seed, id, stream);
  spec.generator_version = stream.generator_version;
  spec.latent.push_back(seed);
  return spec;
}

TaskShape GeneratedShots::shape(const TaskSpec& spec) const {
  auto shape = base_->shape(of_base(spec));
  shape.support += shape.ways * extra_;
  return shape;
}

void GeneratedShots::materialise(const TaskSpec& spec, EpisodeView out) const {
  at::NoGradGuard no_grad;
  const auto inner = of_base(spec);
  const auto shape = base_->shape(inner);
  const int64_t ways = shape.ways, shots = shape.support / shape.ways;
  std::vector<int64_t> sizes{ways, shots};
  sizes.insert(sizes.end(), shape.input.begin(), shape.input.end());
  auto real = at::empty(sizes, at::kFloat);
  std::vector<int64_t> labels(shape.support);
  EpisodeView to_real = out;
  to_real.support = {real.data_ptr<float>(), labels.data(), nullptr};
  base_->materialise(inner, to_real);

  // All classes at once, each as a task of its own; noise by class.
  std::vector<TaskId> ids(static_cast<size_t>(ways), spec.id);
  const Phi phi =
      generator_->adapted(real, ids, versions_->at(spec.generator_version));
  const auto noise = [&](int64_t d, uint32_t slot) {
    return task_noise(spec.latent.back(), {spec.id}, ways * extra_, d,
                      Purpose::latent, slot, real)
        .view({ways, extra_, d});
  };
  const auto made =
      generator_
          ->decode(phi,
                   generator_->code(phi, noise(generator_->code_size(), 0)),
                   noise(generator_->latent_size(), 1))
          .contiguous();
  const int64_t values = real[0][0].numel();
  PartView to = out.support;
  const auto copy = [&](const at::Tensor& images, int64_t way) {
    const auto own = images[way];
    const int64_t n = own.size(0);
    to.x = std::copy_n(own.const_data_ptr<float>(), n * values, to.x);
    if (to.label)
      to.label =
          std::fill_n(to.label, n, labels[static_cast<size_t>(way * shots)]);
  };
  for (int64_t way = 0; way < ways; ++way) {
    copy(real, way);
    copy(made, way);
  }
}

}  // namespace protean
