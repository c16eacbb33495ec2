#include "protean/tasks/added_seed.h"

#include "protean/core/error.h"

namespace protean {

TaskSpec with_seed(TaskSpec base, uint64_t seed) {
  base.latent.push_back(seed);
  return base;
}

TaskSpec without_seed(TaskSpec spec) {
  if (spec.latent.empty())
    throw Error(concat("task (step ", spec.id.step, ", index ", spec.id.index,
                       "): no seed of what is added to it"));
  spec.latent.pop_back();
  return spec;
}

}  // namespace protean
