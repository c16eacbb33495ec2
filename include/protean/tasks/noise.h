// Standard normal noise by (seed, task, slot), of any stack on any rank the
// same.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/philox.h"

namespace protean {

// (T, n, d) of like's type and device. Task t's numbers depend on ids[t] and
// slot (below 2^20) alone; a larger n only adds rows.
at::Tensor task_noise(uint64_t seed, const std::vector<TaskId>& ids, int64_t n,
                      int64_t d, Purpose purpose, uint32_t slot,
                      const at::Tensor& like);

// Which tasks a stack is of, (T, 3) int64, for what only tensors travel with;
// and back.
at::Tensor to_tensor(const std::vector<TaskId>& ids);
std::vector<TaskId> to_ids(const at::Tensor& tensor);

}  // namespace protean
