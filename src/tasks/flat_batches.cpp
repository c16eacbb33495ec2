#include "protean/tasks/flat_batches.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/data/affine.h"

namespace protean {

FlatBatches::FlatBatches(DatasetPtr data, std::vector<uint32_t> classes,
                         uint32_t size, bool distort)
    : data_(std::move(data)),
      classes_(std::move(classes)),
      size_(size),
      distort_(distort) {
  if (size_ == 0) throw ConfigError("task.flat_batch = 0; expected at least 1");
  if (classes_.empty())
    throw ConfigError(
        "data.split leaves no class for training; expected at least 1");
  const auto& shape = data_->shape();
  if (distort_ && (shape.size() != 3 || shape[1] != shape[2]))
    throw ConfigError(
        "data.augment = affine, but examples are no square images; expected "
        "none");
}

TaskSpec FlatBatches::describe(uint64_t seed, TaskId id,
                               const StreamState&) const {
  TaskSpec spec;
  spec.id = id;
  spec.query = {size_};
  Draws places(seed, id, Purpose::classes),
      examples(seed, id, Purpose::examples);
  for (uint32_t i = 0; i < size_; ++i) {
    spec.classes.push_back(
        static_cast<uint32_t>(places.below(classes_.size())));
    spec.examples.push_back(static_cast<uint32_t>(
        examples.below(data_->size(classes_[spec.classes.back()]))));
  }
  if (distort_) spec.latent = {seed};
  return spec;
}

TaskShape FlatBatches::shape(const TaskSpec& spec) const {
  TaskShape shape;
  shape.ways = static_cast<uint32_t>(classes_.size());
  shape.query = spec.query.at(0);
  shape.input = data_->shape();
  return shape;
}

void FlatBatches::materialise(const TaskSpec& spec, EpisodeView out) const {
  const auto& shape = data_->shape();
  int64_t values = 1;
  for (int64_t d : shape) values *= d;
  std::vector<float> straight(
      spec.latent.empty() ? 0 : static_cast<size_t>(values));
  PartView to = out.query;
  for (uint32_t i = 0; i < spec.query.at(0); ++i, to.x += values) {
    const uint32_t place = spec.classes.at(i);
    data_->read(classes_.at(place), spec.examples.at(i), to.x);
    if (!straight.empty()) {
      Draws draws(spec.latent[0], spec.id, Purpose::augment, i);
      std::copy_n(to.x, values, straight.data());
      warp(straight.data(), shape[0], shape[1],
           draw_affine(draws, kDrawingDistortion, shape[1]), to.x);
    }
    to.label[i] = place;
  }
}

}  // namespace protean
