// What sets one class apart from another, as a direction in the space of codes:
// the difference of the mean codes of their images (as attribute vectors are
// made, Larsen et al. 2016, arXiv:1512.09300). Added to the code of an image of
// the first class with strength 0 it leaves the image's own code, with 1 it
// leads as far as the other class lies away.
#pragma once

#include <vector>

#include "protean/generative/generative_learner.h"

namespace protean {

struct ClassDirection {
  at::Tensor images;  // (n, s, C, H, W): image i of `from` at each strength
  // Of each strength: the share of these images whose code, read anew, is
  // nearer to the mean code of `to` than to that of `from`.
  std::vector<double> nearer_to;
  double length = 0;  // of the direction
};

// from (1, n, C, H, W), to (1, m, C, H, W). Codes are read and images decoded
// by phi, without noise within the class.
ClassDirection class_direction(const GenerativeLearner& learner, const Phi& phi,
                               const at::Tensor& from, const at::Tensor& to,
                               const std::vector<double>& strengths);

}  // namespace protean
