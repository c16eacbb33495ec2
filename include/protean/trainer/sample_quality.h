// How good a generative run's images of unseen classes are.
//
// Of every class of a split, K images are support; the others are parted in
// two: A, which everything is compared with, and B. Three sets of equal size
// are compared with A, class by class as many as B has, and reported over all
// classes together:
//   samples  what the generator makes from the support images
//   real     B itself: the floor of every figure
//   copies   the support images, again and again: what copying would come to
// Distances are in the features of another run's network, which must not have
// trained on these classes; its name and the checksum of its weights are part
// of the result.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "protean/trainer/experiment.h"

namespace protean {

// A run as its newest checkpoint left it.
struct StoredRun {
  std::string dir;
  Experiment experiment;
  MetaView meta;
};

// shots: support images of a class; classes with fewer than shots + 2 are left
// out. Keys: features, features_sha256, classes, images (in each set), shots;
// samples, real, copies: {frechet, kernel, kernel_deviation, precision, recall,
// density, coverage, one_nn, fidelity, diversity}; copying: {distance_ratio,
// share_closer}. fidelity: share nearest to the mean of its own class in A;
// diversity: mean distance within a class over that of A; copying: distance of
// a sample to the nearest support image over that of B (median), and the share
// of samples closer than all but 5 % of B. Throws ConfigError when the network
// has no features or takes other images, or no class is large enough.
nlohmann::json sample_quality(const Experiment& experiment,
                              const MetaView& meta, const StoredRun& features,
                              Stream stream, int64_t shots);

}  // namespace protean
