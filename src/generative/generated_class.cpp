#include "protean/generative/generated_class.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/tasks/added_seed.h"

#include "generative/made_of_classes.h"

namespace protean {

GeneratedClass::GeneratedClass(
    std::shared_ptr<const TaskSource> base, GenerativeLearnerPtr generator,
    std::shared_ptr<const GeneratorVersions> versions,
    const TaskOptions& options)
    : base_(std::move(base)),
      generator_(std::move(generator)),
      versions_(std::move(versions)),
      options_(options) {
  check_generator(*base_, *generator_);
}

TaskSpec GeneratedClass::describe(uint64_t seed, TaskId id,
                                  const StreamState& stream) const {
  return with_generator(base_->describe(seed, id, stream), seed, stream);
}

TaskShape GeneratedClass::with_class(TaskShape shape,
                                     const TaskOptions& options) {
  shape.support += shape.ways * options.generated_shots;
  shape.query += shape.ways * options.generated_queries;
  shape.weighted = options.generated_weight < 1;
  ++shape.ways;
  return shape;
}

TaskShape GeneratedClass::shape(const TaskSpec& spec) const {
  return with_class(base_->shape(without_seed(spec)), options_);
}

void GeneratedClass::materialise(const TaskSpec& spec, EpisodeView out) const {
  at::NoGradGuard no_grad;
  const auto inner = without_seed(spec);
  const auto shape = base_->shape(inner);
  base_->materialise(inner, out);

  const int64_t ways = shape.ways;
  std::vector<int64_t> sizes{ways, shape.support / ways};
  sizes.insert(sizes.end(), shape.input.begin(), shape.input.end());
  const auto made = made_of_classes(
      *generator_, *versions_, spec, kAddedSlots,
      at::from_blob(out.support.x, sizes, at::TensorOptions(at::kFloat)),
      {options_.generated_shots, options_.generated_queries});
  const auto append = [&](const at::Tensor& images, uint32_t behind,
                          const PartView& to) {
    if (!images.defined()) return;
    const int64_t n = images.size(0) * images.size(1);
    std::copy_n(images.const_data_ptr<float>(), images.numel(),
                to.x + behind * (images.numel() / n));
    std::fill_n(to.label + behind, n, ways);
    if (to.weight)
      std::fill_n(to.weight + behind, n,
                  static_cast<float>(options_.generated_weight));
  };
  append(made[0], shape.support, out.support);
  append(made[1], shape.query, out.query);
}

}  // namespace protean
