// What a generative run has learnt of classes that it never saw, to look at.
//
//   characters.png  a row per class: five support images, eight samples, and
//                   five images on the way from its code to the next class's
//   map.svg         codes of single images of these classes, along the two
//                   principal axes; 1000 points at most, the first ten of a
//                   class as pictures
//   map-tsne.svg    the same points by t-SNE (generative/analysis/tsne.h)
//   direction.png   when asked for: images of one class moved towards another
//                   (generative/class_direction.h). A row per image: itself, at
//                   seven strengths, and an image of the other class
//   curve.csv, .svg quality of images on the way from class to class, and from
//                   image to image within one, by the share of it
//                   (generative/analysis/factor_curve.h)
//   latent.json     figures of all of this, and how well groups of the codes of
//                   all images of the split match the classes
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "protean/evaluation/image_features.h"
#include "protean/experiment/experiment.h"

namespace protean {

struct LatentOptions {
  int64_t classes = 20;  // rows of the picture; at most 500
  uint64_t seed = 0;     // of their choice and of the samples
  // Names of the direction's classes, as the data has them; empty: none.
  std::string from, to;
  double low = -0.25, high = 1.25;  // its strengths: 0 stays, 1 arrives
};

// Writes the new folder `out` and returns what latent.json holds: classes,
// images, clusters, plane_variance (share of the map's two axes), perplexity
// (of map-tsne.svg); groups: by method (k_means, mixture, random_partitions)
// purity, mutual_information (normalised), rand_index (adjusted), those of
// k_means also by themselves; direction: from, to, strengths, nearer_to,
// length; curve: features, features_sha256 and what FactorCurve holds, null
// where classes are too small for one. features: what the curve is measured in;
// without a function, the run's own codes of single images. Throws ConfigError
// on an impossible count, on an unknown class and on an `out` that exists.
nlohmann::json write_latent_report(const Experiment& experiment,
                                   const MetaView& meta, Stream stream,
                                   const LatentOptions& options,
                                   const ImageFeatures& features,
                                   const std::filesystem::path& out);

}  // namespace protean
