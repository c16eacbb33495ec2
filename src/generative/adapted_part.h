// What inner steps do in a generative model that makes some: which parameters
// they move, and what its meta-gradient sees of them.
#pragma once

#include <string>
#include <vector>

#include "protean/learners/options.h"
#include "protean/learners/unroll.h"

#include "generative/conditional_generator.h"

namespace protean {

// Indices of the parameters of `part` (learner.adapt): all, head (the
// decoder), film (what a class's code does to it, and its last layer) or code
// (what makes a code of the features of images). Throws ConfigError when the
// generator has none.
std::vector<size_t> adapted_part(const ConditionalGenerator& generator,
                                 const std::string& part);

// By generator.meta and learner.second_order.
Through through_of(const GeneratorOptions& options,
                   const LearnerOptions& learner);

}  // namespace protean
