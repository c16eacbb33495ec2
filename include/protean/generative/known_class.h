// A class as a generative learner knows it from a few of its images.
#pragma once

#include "protean/data/dataset.h"
#include "protean/generative/generative_learner.h"

namespace protean {

// Images of a class, (1, n, C, H, W): those listed, or [begin, begin + count).
at::Tensor class_images(const ClassDataset& data, uint32_t cls,
                        const std::vector<uint32_t>& examples);
at::Tensor class_images(const ClassDataset& data, uint32_t cls, int64_t begin,
                        int64_t count);

struct KnownClass {
  std::vector<TaskId> id;  // one: what noise of the class is keyed by
  at::Tensor support;      // (1, K, C, H, W)
  Phi phi;                 // adapted to them
  at::Tensor code;         // (1, 1, c): what they say, without noise

  // Standard normal, (1, n, d): by seed, class and slot alone.
  at::Tensor noise(int64_t n, int64_t d, uint32_t slot, uint64_t seed) const;
};

KnownClass known_class(const GenerativeLearner& learner, const MetaView& meta,
                       const at::Tensor& support, uint32_t cls);

}  // namespace protean
