#include "protean/generative/known_class.h"

#include <numeric>

#include <ATen/ATen.h>

#include "protean/tasks/noise.h"

namespace protean {

at::Tensor class_images(const ClassDataset& data, uint32_t cls,
                        const std::vector<uint32_t>& examples) {
  const auto count = static_cast<int64_t>(examples.size());
  std::vector<int64_t> shape{1, count};
  shape.insert(shape.end(), data.shape().begin(), data.shape().end());
  auto x = at::empty(shape, at::kFloat);
  for (int64_t i = 0; i < count; ++i)
    data.read(cls, examples[static_cast<size_t>(i)], x[0][i].data_ptr<float>());
  return x;
}

at::Tensor class_images(const ClassDataset& data, uint32_t cls, int64_t begin,
                        int64_t count) {
  std::vector<uint32_t> examples(static_cast<size_t>(count));
  std::iota(examples.begin(), examples.end(), static_cast<uint32_t>(begin));
  return class_images(data, cls, examples);
}

at::Tensor KnownClass::noise(int64_t n, int64_t d, uint32_t slot,
                             uint64_t seed) const {
  return task_noise(seed, id, n, d, Purpose::latent, slot, support);
}

KnownClass known_class(const GenerativeLearner& g, const MetaView& meta,
                       const at::Tensor& support, uint32_t cls) {
  KnownClass known;
  known.id = {TaskId{Stream::generator, 1, cls}};
  known.support = support;
  known.phi = g.adapted(support, known.id, meta);
  known.code =
      g.code(known.phi, at::zeros({1, 1, g.code_size()}, support.options()));
  return known;
}

}  // namespace protean
