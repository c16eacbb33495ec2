// How good a generative run's images of unseen classes are.
//
// Of every class of a split, K images are support; the others are parted in
// two: A, which everything is compared with, and B. Three sets of equal size
// are compared with A, class by class as many as B has, and reported over all
// classes together:
//   samples  what the generator makes from the support images
//   real     B itself: the floor of every figure
//   copies   the support images, again and again: what copying would come to
// Distances are in the features of a network that must not have trained on
// these classes; its name and the checksum of its weights are part of the
// result.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "protean/evaluation/image_features.h"
#include "protean/experiment/experiment.h"

namespace protean {

// shots: support images of a class; classes with fewer than shots + 2 are left
// out. Keys: features, features_sha256, classes, images (in each set), shots;
// samples, real, copies: {frechet, kernel, kernel_deviation, precision, recall,
// density, coverage, one_nn, inception, fidelity, diversity}; copying:
// {distance_ratio, share_closer, membership}. inception: the score of a
// classifier by squared distance to the classes' means in A; fidelity: share
// nearest to the mean of its own class in A; diversity: mean distance within a
// class over that of A; copying: distance of a sample to the nearest support
// image over that of B (median), and the share of samples closer than all but 5
// % of B; membership: how well the distance to the nearest sample tells a
// support image from one of B, as the area under the ROC curve, a mean over
// classes (0.5: not at all). samples and copying are of the last adaptation
// step; steps: [{step, adapt_s, samples, copying}] of steps 0, 1, 2, 5, 10, 20,
// 50 and the last, adapt_s the mean wall time per class up to there. Throws
// ConfigError when no class is large enough.
nlohmann::json sample_quality(const Experiment& experiment,
                              const MetaView& meta,
                              const ImageFeatures& features, Stream stream,
                              int64_t shots);

}  // namespace protean
