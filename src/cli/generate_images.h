// `protean generate` for a run of a generative learner.
#pragma once

#include "cli/commands.h"

namespace protean {

// Flags support (a folder of images), count, seed, resize and out.
int generate_images(const CommandLine& line, World& world);

}  // namespace protean
