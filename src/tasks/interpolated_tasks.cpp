#include "protean/tasks/interpolated_tasks.h"

#include <algorithm>
#include <bit>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

constexpr double kLowest = -0.25, kHighest = 1.25;
// Of the index of tasks that others are mixed with: no meta-batch is so large.
constexpr uint32_t kPartner = 1u << 31;

void check(const InterpolationOptions& o) {
  if (!(o.share >= 0 && o.share <= 1))
    throw ConfigError(concat("task.interpolate = ", o.share,
                             "; expected a share of tasks, 0 to 1"));
  if (!(o.low >= kLowest && o.low <= o.high && o.high <= kHighest))
    throw ConfigError(concat("task.interpolate_low = ", o.low,
                             " and task.interpolate_high = ", o.high,
                             "; expected ", kLowest,
                             " <= low <= high <= ", kHighest));
  check_choice("task.interpolate_draw", o.draw, {"uniform", "beta"});
}

// What keeps tasks of this shape from being mixed; null if nothing does.
const char* obstacle(const TaskShape& shape) {
  // Functions of a task are mixed at equal inputs; examples have others.
  if (shape.target == TargetKind::values) return "values";
  if (shape.target == TargetKind::none) return "no labels";
  if (shape.target_size != 1) return "several labels per example";
  if (shape.support == 0) return "no support set";
  return nullptr;
}

float draw_factor(Draws& draws, const InterpolationOptions& o) {
  double at = draws.uniform();
  if (o.draw == "beta") {
    // The middle one of three uniform numbers has the distribution Beta(2, 2).
    const double b = draws.uniform(), c = draws.uniform();
    at = std::max(std::min(at, b), std::min(std::max(at, b), c));
  }
  return static_cast<float>(o.low + (o.high - o.low) * at);
}

// Room for one part of a task. Its examples weigh as those of the other task.
struct Room {
  std::vector<float> x;
  std::vector<int64_t> label;
  Room(const TaskShape& shape, int64_t n) : label(static_cast<size_t>(n)) {
    for (int64_t d : shape.input) n *= d;
    x.resize(static_cast<size_t>(n));
  }
  PartView view() { return {x.data(), label.data(), nullptr}; }
};

void mix(const Room& b, float factor, PartView a) {
  if (!std::equal(b.label.begin(), b.label.end(), a.label))
    throw Error(
        "task.interpolate: two tasks list their classes in another order");
  for (size_t i = 0; i < b.x.size(); ++i)
    a.x[i] = (1 - factor) * a.x[i] + factor * b.x[i];
}

}  // namespace

InterpolatedTasks::InterpolatedTasks(std::shared_ptr<const TaskSource> base,
                                     const InterpolationOptions& options)
    : base_(std::move(base)), options_(options) {
  check(options);
  if (const char* what = obstacle(base_->shape(base_->describe(0, {}, {}))))
    throw ConfigError(concat("task.interpolate = ", options.share,
                             " mixes classes of images, but training tasks "
                             "have ",
                             what, "; expected 0"));
}

TaskSpec InterpolatedTasks::describe(uint64_t seed, TaskId id,
                                     const StreamState& stream) const {
  auto a = base_->describe(seed, id, stream);
  Draws draws(seed, id, Purpose::interpolate);
  if (draws.uniform() >= options_.share) return a;
  const float factor = draw_factor(draws, options_);
  auto b =
      base_->describe(seed, {id.stream, id.step, id.index | kPartner}, stream);
  if (base_->shape(a) != base_->shape(b))
    throw Error(concat("task.interpolate: task (step ", id.step, ", index ",
                       id.index,
                       ") and the one to mix it with differ in classes or "
                       "examples; expected equal ones"));
  TaskSpec spec;
  spec.id = id;
  spec.latent = {std::bit_cast<uint32_t>(factor)};
  spec.mixed = {std::move(a), std::move(b)};
  return spec;
}

TaskShape InterpolatedTasks::shape(const TaskSpec& spec) const {
  return base_->shape(spec.mixed.empty() ? spec : spec.mixed.front());
}

void InterpolatedTasks::materialise(const TaskSpec& spec,
                                    EpisodeView out) const {
  if (spec.mixed.empty()) return base_->materialise(spec, out);
  base_->materialise(spec.mixed.at(0), out);
  const auto shape = base_->shape(spec.mixed.at(1));
  Room support(shape, shape.support), query(shape, shape.query);
  base_->materialise(spec.mixed.at(1), {support.view(), query.view()});
  const auto factor =
      std::bit_cast<float>(static_cast<uint32_t>(spec.latent.at(0)));
  mix(support, factor, out.support);
  mix(query, factor, out.query);
}

}  // namespace protean
