// How far images stay real when one goes from class to class, or from image to
// image within a class, and past them: their quality by the share of the way.
//
// Two paths, from every class of a list to another:
//   code    straight from the one class's code to the other's; what sets images
//           of a class apart stays as it was drawn
//   latent  the class stays; what sets its images apart goes by slerp from one
//           draw to another (latent_space.h)
// Of every class a few images tell its code, and the others are parted in two:
// A, which everything is compared with, and B. At every factor a path makes as
// many images of a class as B has, and these are compared with A over all
// classes together, as B is: what real images come to.
//
// Distances are in features that the caller gives. Those of a network trained
// on other classes judge best; a generator's own codes of images are always
// there, but know only what the generator itself took for a difference, so that
// they compare factors, not generators.
#pragma once

#include <functional>
#include <vector>

#include "protean/data/dataset.h"
#include "protean/generative/generative_learner.h"

namespace protean {

struct FactorCurveOptions {
  double low = -0.25, high = 1.25;  // 0: where a path starts, 1: where it ends
  int64_t factors = 13;             // at equal distances, both ends included
  int64_t images = 1000;            // in each set, about
  uint64_t seed = 0;
};

struct FactorQuality {
  double frechet = 0;       // to A; quality.h
  double precision = 0;     // share among A: inside the ball of an image of A
  double nearest_from = 0;  // share nearest to the mean of its class in A
  double nearest_to = 0;    // ... of the class that the path leads to
};

struct FactorCurve {
  int64_t classes = 0, images = 0;  // in each set
  std::vector<double> factors;
  std::vector<FactorQuality> code, latent;  // of each factor
  FactorQuality real;
};

// (n, C, H, W) -> (n, f)
using FeatureFunction = std::function<at::Tensor(const at::Tensor&)>;

// Classes are taken in random order, at most options.images of them; those of
// fewer than three images are left out. Without classes enough to compare (two,
// and more than five images in each set) `factors` is empty. Not
// differentiable.
FactorCurve factor_curve(const GenerativeLearner& learner, const MetaView& meta,
                         const ClassDataset& data,
                         const std::vector<uint32_t>& classes,
                         const FeatureFunction& features,
                         const FactorCurveOptions& options);

}  // namespace protean
