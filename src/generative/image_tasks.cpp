#include "protean/generative/image_tasks.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/tasks/nway.h"

#include "generative/made_of_classes.h"

namespace protean {

ImageTasks::ImageTasks(GenerativeLearnerPtr learner,
                       std::shared_ptr<const GeneratorVersions> versions,
                       DatasetPtr data, const std::vector<uint32_t>& classes,
                       const TaskCounts& counts)
    : learner_(std::move(learner)),
      versions_(std::move(versions)),
      data_(std::move(data)),
      counts_(counts) {
  for (uint32_t cls : classes)
    for (uint32_t i = 0; i < data_->size(cls); ++i) images_.push_back({cls, i});
  if (images_.size() < counts.ways)
    throw ConfigError(concat("task.ways = ", counts.ways,
                             "; generator.rule = image has ", images_.size(),
                             " images for as many classes"));
  if (data_->shape() != learner_->image_shape())
    throw ConfigError(
        "generator.rule = image: the generator makes other images than data.* "
        "has");
  need_support(*learner_, 1, "generator.rule = image");
}

TaskSpec ImageTasks::describe(uint64_t seed, TaskId id,
                              const StreamState& stream) const {
  TaskSpec spec = describe_nway(id, counts_);
  spec.generator_version = stream.generator_version;
  spec.latent = {seed};
  for (auto i : Draws(seed, id, Purpose::examples)
                    .sample(images_.size(), counts_.ways)) {
    spec.classes.push_back(images_[i].cls);
    spec.examples.push_back(images_[i].example);
  }
  return spec;
}

TaskShape ImageTasks::shape(const TaskSpec& spec) const {
  return shape_nway(spec, learner_->image_shape());
}

void ImageTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  at::NoGradGuard no_grad;
  const int64_t ways = counts_.ways;
  const int64_t made = counts_.shots + counts_.queries - 1;
  std::vector<int64_t> sizes{ways, 1};
  const auto& image = learner_->image_shape();
  sizes.insert(sizes.end(), image.begin(), image.end());
  const auto anchors = at::empty(sizes, at::kFloat);
  for (int64_t way = 0; way < ways; ++way)
    data_->read(spec.classes.at(static_cast<size_t>(way)),
                spec.examples.at(static_cast<size_t>(way)),
                anchors[way].data_ptr<float>());

  const auto others = made_of_classes(*learner_, *versions_, spec,
                                      /*first_slot=*/0, anchors, {made})[0];
  fill_nway(at::cat({anchors, others}, 1).contiguous(), spec, out);
}

}  // namespace protean
