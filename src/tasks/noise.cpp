#include "protean/tasks/noise.h"

#include <ATen/ops/empty.h>

#include "protean/tasks/upload.h"

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
  return upload(noise.to(like.scalar_type()), like.device());
}

at::Tensor to_tensor(const std::vector<TaskId>& ids) {
  auto t = at::empty({static_cast<int64_t>(ids.size()), 3}, at::kLong);
  auto* out = t.data_ptr<int64_t>();
  for (const auto& id : ids) {
    *out++ = static_cast<int64_t>(id.stream);
    *out++ = id.step;
    *out++ = id.index;
  }
  return t;
}

std::vector<TaskId> to_ids(const at::Tensor& t) {
  std::vector<TaskId> ids;
  const auto* in = t.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < t.size(0); ++i, in += 3)
    ids.push_back({static_cast<Stream>(in[0]), static_cast<uint32_t>(in[1]),
                   static_cast<uint32_t>(in[2])});
  return ids;
}

}  // namespace protean
