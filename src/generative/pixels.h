// How likely an image is, given logits of its pixels, in nats.
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

// Sum over the pixels of each image: (..., C, H, W) -> (...). binary: pixels
// are 0 or 1, Bernoulli. Otherwise they are in [0, 1]: the continuous Bernoulli
// density of Loaiza-Ganem and Cunningham 2019, arXiv:1907.06845.
at::Tensor pixel_log_likelihood(const at::Tensor& logits, const at::Tensor& x,
                                bool binary);

// The image itself: the probabilities, or for binary pixels what most_likely
// makes of them.
at::Tensor pixels(const at::Tensor& logits, bool binary);

// 0 and 1 for probabilities p (..., C, H, W): as many of the likeliest pixels
// of an image are set as are expected to be. The likelier of 0 and 1 each would
// break thin strokes wherever their place is not certain to a pixel.
at::Tensor most_likely(const at::Tensor& p);

}  // namespace protean
