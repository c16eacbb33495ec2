// direction.png: images of a class, moved towards another one.
#pragma once

#include <nlohmann/json.hpp>

#include "evaluation/latent/latent_run.h"

namespace protean {

struct DirectionOptions {
  std::string from, to;             // names of classes; both empty: none
  double low = -0.25, high = 1.25;  // strengths; 1 leads as far as `to` lies
};

struct DirectionSheet {
  std::string png;
  nlohmann::json json;  // from, to, strengths, nearer_to, length
};

// A row for each of the first eight images of `from`: the image, itself at
// seven strengths from low to high, an image of `to`. Codes are those of the
// first 100 images of both. Throws ConfigError on a name that no class of the
// split has (--from, --to), telling those that there are.
DirectionSheet direction_sheet(const LatentRun& run, const DirectionOptions& o);

}  // namespace protean
