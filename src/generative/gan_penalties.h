// What a GAN's losses have beside the discriminator's judgements. Images are
// (T, n, C, H, W), a discriminator's outputs (T, n), results one value per
// task, (T), all differentiable to any order.
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

// R1 (Mescheder et al. 2018, arXiv:1801.04406): half the squared slope of the
// outputs at images x that they follow from.
at::Tensor r1_penalty(const at::Tensor& x, const at::Tensor& output);

// WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028): how far that slope's
// length is from 1, squared.
at::Tensor unit_slope_penalty(const at::Tensor& x, const at::Tensor& output);

// Mode seeking (Mao et al. 2019, arXiv:1903.05628): the less two sets of images
// differ for what their noise (T, n, d) does, the more.
at::Tensor mode_seeking(const at::Tensor& images, const at::Tensor& noise,
                        const at::Tensor& other_images,
                        const at::Tensor& other_noise);

}  // namespace protean
