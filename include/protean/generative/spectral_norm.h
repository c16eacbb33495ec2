// Weights of Lipschitz constant one (Miyato et al. 2018, arXiv:1802.05957).
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

// w divided by its largest singular value as a matrix (its first dimension
// after the tasks against the rest), from five power iterations; gradients pass
// all of them. w: (T or 1, ...).
at::Tensor spectral_norm(const at::Tensor& w);

}  // namespace protean
