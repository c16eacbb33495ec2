// A learner's start from what another run has learnt (model.init_from).
#pragma once

#include "protean/core/parameter_space.h"
#include "protean/models/options.h"
#include "protean/run/checkpoint.h"

namespace protean {

// Into theta, laid out by space, come the values of all parameters of the same
// name and shape of the newest checkpoint of the run o.init_from; with
// o.init_part that of a generative model, whose parameters' names begin with
// it. A discriminator's weights come with their spectral norms, as it uses
// them. Heads of other sizes keep theirs. Returns how many parameters came.
// Throws ConfigError when there is no checkpoint, or none of them fits.
int64_t copy_initial_values(const ModelOptions& o, const ParameterSpace& space,
                            at::Tensor& theta);

}  // namespace protean
