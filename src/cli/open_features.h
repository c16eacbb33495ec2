// Networks that judge a generative run's images: eval.features.
#pragma once

#include <vector>

#include "protean/comm/communicator.h"
#include "protean/evaluation/image_features.h"
#include "protean/experiment/experiment.h"

namespace protean {

// Collective; on rank 0 one for each name, on the others none. Throws
// ConfigError naming the key when the run makes no images, or a network is
// none of such images.
std::vector<ImageFeatures> open_features(const Experiment& generative,
                                         Communicator& comm);

}  // namespace protean
