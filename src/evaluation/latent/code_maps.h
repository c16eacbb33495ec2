// map.svg and map-tsne.svg: codes of single images of some classes in the
// plane, along their two principal axes and by t-SNE.
#pragma once

#include "evaluation/latent/latent_run.h"

namespace protean {

struct CodeMaps {
  std::string principal, neighbours;  // SVG files
  double plane_variance = 0;          // share of the two axes
  double perplexity = 0;              // of t-SNE
  int64_t points = 0;
};

// shown: classes, by their place in run.classes and in codes. The first images
// of each are points, as many as make 1000 in all (at least one); the first ten
// of these are pictures.
CodeMaps code_maps(const LatentRun& run, const std::vector<at::Tensor>& codes,
                   const std::vector<uint32_t>& shown);

}  // namespace protean
