// characters.png: a row per class, its images, samples of it, and the way to
// the next class.
#pragma once

#include "evaluation/latent/latent_run.h"

namespace protean {

// shown: classes, by their number in the data. Returns the PNG file.
std::string character_sheet(const LatentRun& run,
                            const std::vector<uint32_t>& shown);

}  // namespace protean
