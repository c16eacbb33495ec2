#include "generative/gan_penalties.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace protean {
namespace {

// Of the outputs at the images, (T, n).
at::Tensor squared_slope(const at::Tensor& x, const at::Tensor& output) {
  return torch::autograd::grad({output.sum()}, {x}, {}, true, true)[0]
      .square()
      .sum({2, 3, 4});
}

}  // namespace

at::Tensor r1_penalty(const at::Tensor& x, const at::Tensor& output) {
  return 0.5 * squared_slope(x, output).mean(1);
}

at::Tensor unit_slope_penalty(const at::Tensor& x, const at::Tensor& output) {
  // No derivative of the root at 0.
  const auto length = (squared_slope(x, output) + 1e-12).sqrt();
  return (length - 1).square().mean(1);
}

at::Tensor mode_seeking(const at::Tensor& images, const at::Tensor& noise,
                        const at::Tensor& other_images,
                        const at::Tensor& other_noise) {
  const auto apart = (images - other_images).abs().mean({1, 2, 3, 4});
  const auto by = (noise - other_noise).abs().mean({1, 2});
  return 1 / (apart / by + 1e-2);
}

}  // namespace protean
