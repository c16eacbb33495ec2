// Where tasks come from. Pure and thread-safe: describe() is a function of its
// arguments alone, does no I/O and holds no state, so every rank may describe
// every task; materialise() fills in one task alone, so its bytes ignore its
// neighbours.
#pragma once

#include <cstdint>

#include "protean/core/plan.h"

namespace protean {

// Where one part (support or query) of one task goes: n examples, row-major.
struct PartView {
  float* x = nullptr;  // n * input size
  int64_t* label =
      nullptr;             // n * target_size, in [0, ways); null for regression
  float* value = nullptr;  // n * target_size; null for classification
  // n, of support examples where TaskShape::weighted, else null: above 0, all 1
  // when materialise() is called.
  float* weight = nullptr;
};

struct EpisodeView {
  PartView support, query;
};

class TaskSource {
 public:
  virtual ~TaskSource() = default;
  virtual TaskSpec describe(uint64_t seed, TaskId id,
                            const StreamState& stream) const = 0;
  virtual TaskShape shape(const TaskSpec& spec) const = 0;
  virtual void materialise(const TaskSpec& spec, EpisodeView out) const = 0;
};

}  // namespace protean
