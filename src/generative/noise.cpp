#include "protean/generative/noise.h"

#include <ATen/ops/empty.h>

namespace protean {

at::Tensor task_noise(uint64_t seed, const std::vector<TaskId>& ids, int64_t n,
                      int64_t d, Purpose purpose, uint32_t slot,
                      const at::Tensor& like) {
  const auto tasks = static_cast<int64_t>(ids.size());
  auto noise = at::empty({tasks, n, d}, at::kDouble);
  auto* out = noise.data_ptr<double>();
  for (const auto& id : ids) {
    Draws draws(seed, id, purpose, slot);
    for (int64_t i = 0; i < n * d; ++i) *out++ = draws.normal();
  }
  return noise.to(like.device(), like.scalar_type());
}

}  // namespace protean
