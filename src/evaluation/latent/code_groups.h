// How well groups of codes, found without labels, match the classes.
#pragma once

#include <nlohmann/json.hpp>

#include "evaluation/latent/latent_run.h"

namespace protean {

// codes: (n, c) by class. As many groups as classes, of all images. By method
// (k_means; mixture, which starts from it; random_partitions, a mean over
// `partitions` of them): {purity, mutual_information, rand_index}.
nlohmann::json code_groups(const std::vector<at::Tensor>& codes, uint64_t seed);

}  // namespace protean
