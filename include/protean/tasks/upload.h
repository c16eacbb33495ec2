// Host values on their way to where a learner computes.
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

// t itself where it is on the device already. Else a copy that the host does
// not wait for: through pinned memory, which a GPU reads by itself. Any thread.
at::Tensor upload(const at::Tensor& t, at::Device device);

}  // namespace protean
