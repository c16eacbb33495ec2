// How a stack of images lies in memory.
//
// On the CPU the kernels work on channels-last memory, (T, n, H, W, C): a task
// is one block and a pixel's channels fill vectors. Elsewhere the order is that
// of the dimensions, (n, T, C, H, W), which grouped convolutions want.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

namespace protean::ops {

// (n, T, C, H, W) -> contiguous (T, n, H, W, C); copies only what lies
// otherwise.
inline at::Tensor channels_last(const at::Tensor& x) {
  return x.permute({1, 0, 3, 4, 2}).contiguous();
}

// (T, n, H, W, C) -> a view (n, T, C, H, W).
inline at::Tensor as_stack(const at::Tensor& x) {
  return x.permute({1, 0, 4, 2, 3});
}

inline at::Tensor empty_channels_last(int64_t tasks, int64_t n, int64_t h,
                                      int64_t w, int64_t channels,
                                      const at::TensorOptions& options) {
  return at::empty({tasks, n, h, w, channels}, options);
}

}  // namespace protean::ops
