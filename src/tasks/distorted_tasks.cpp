#include "protean/tasks/distorted_tasks.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/data/affine.h"
#include "protean/tasks/added_seed.h"

namespace protean {
namespace {

// A whole class, differently in each task. Each drawing then gets
// kDrawingDistortion on its own.
constexpr AffineRanges kOfClass{.turn = 10,
                                .shear = 0.3,
                                .scale = 0.2,
                                .shift = 0,
                                .leave_out = 0,
                                .mirror = 0.5};

}  // namespace

DistortedTasks::DistortedTasks(std::shared_ptr<const TaskSource> base)
    : base_(std::move(base)) {
  const auto input = base_->shape(base_->describe(0, {}, {})).input;
  if (input.size() != 3 || input[1] != input[2])
    throw ConfigError(
        "data.augment = affine, but examples are no square images; expected "
        "none");
}

TaskSpec DistortedTasks::describe(uint64_t seed, TaskId id,
                                  const StreamState& stream) const {
  return with_seed(base_->describe(seed, id, stream), seed);
}

TaskShape DistortedTasks::shape(const TaskSpec& spec) const {
  return base_->shape(without_seed(spec));
}

void DistortedTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  const TaskSpec base = without_seed(spec);
  base_->materialise(base, out);
  const auto input = base_->shape(base).input;
  const int64_t channels = input[0], side = input[1];
  const int64_t values = channels * side * side;
  const auto sum = [](const std::vector<uint32_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), 0u);
  };
  const uint32_t images = sum(spec.support) + sum(spec.query);
  // Slots: the images, class by class, then the classes.
  const auto drawn = [&](const AffineRanges& ranges, uint32_t slot) {
    Draws draws(spec.latent.back(), spec.id, Purpose::augment, slot);
    return draw_affine(draws, ranges, side);
  };
  std::vector<float> straight(static_cast<size_t>(values));
  float* at[] = {out.support.x, out.query.x};
  uint32_t image = 0;
  for (uint32_t way = 0; way < spec.support.size(); ++way) {
    const Affine whole = drawn(kOfClass, images + way);
    const uint32_t counts[] = {spec.support[way], spec.query[way]};
    for (int part = 0; part < 2; ++part)
      for (uint32_t i = 0; i < counts[part]; ++i, ++image, at[part] += values) {
        std::copy_n(at[part], values, straight.data());
        warp(straight.data(), channels, side,
             whole * drawn(kDrawingDistortion, image), at[part]);
      }
  }
}

}  // namespace protean
