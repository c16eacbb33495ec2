// Weights of Lipschitz constant one (Miyato et al. 2018, arXiv:1802.05957).
#pragma once

#include <ATen/core/Tensor.h>

namespace protean {

// The pair of unit vectors between which a matrix stretches most: w right is
// its largest singular value times left.
struct Stretch {
  at::Tensor left, right;  // (T or 1, out, 1), (T or 1, in, 1)
};

// Where the search for it begins when nothing is known: a unit vector (out),
// float64, of values that a float32 holds, the same every time.
at::Tensor first_left(int64_t out);

// Of w (T or 1, out, ...), as matrices of its first dimension after the tasks
// against the rest, from five power iterations; gradients pass all of them.
// left: (out), of w as it was a step ago, so that the iterations of all steps
// are one search.
Stretch stretch(const at::Tensor& w, const at::Tensor& left);
inline Stretch stretch(const at::Tensor& w) {
  return stretch(w, first_left(w.size(1)));
}

// w divided by its value between the two. With w's own ones that is its largest
// singular value. Tasks that have moved a little way from common weights take
// those of the common ones: then it costs next to nothing, and the same tasks
// have the same bits whichever ones they share a stack with.
at::Tensor spectral_norm(const at::Tensor& w, const Stretch& between);
inline at::Tensor spectral_norm(const at::Tensor& w) {
  return spectral_norm(w, stretch(w));
}

}  // namespace protean
