// Whether the settings of a meta-GAN go together.
#pragma once

#include "protean/generative/options.h"
#include "protean/learners/options.h"

namespace protean {

// Throws ConfigError naming the key.
void check_gan_settings(const GeneratorOptions& options,
                        const LearnerOptions& learner);

}  // namespace protean
