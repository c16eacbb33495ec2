// What a generative run has learnt of classes that it never saw, to look at.
//
//   characters.png  a row per class: five support images, eight samples, and
//   five
//                   images on the way from its code to the next class's
//   map.svg         codes of single images of these classes, along the two
//                   principal axes
//   latent.json     how well k-means on the codes of all images of the split
//                   finds the classes
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "protean/trainer/experiment.h"

namespace protean {

struct LatentOptions {
  int64_t classes = 20;  // rows of the picture
  uint64_t seed = 0;     // of their choice and of the samples
};

// Writes the new folder `out` and returns what latent.json holds: classes,
// images, clusters, purity, mutual_information (normalised), plane_variance
// (share of the map's two axes). Throws ConfigError on an impossible count.
nlohmann::json write_latent_report(const Experiment& experiment,
                                   const MetaView& meta, Stream stream,
                                   const LatentOptions& options,
                                   const std::filesystem::path& out);

}  // namespace protean
