// `protean generate` for a run of text.
#pragma once

#include "cli/commands.h"

namespace protean {

// Flags support (a file), prompt, length, temperature, seed and out.
int generate_text(const CommandLine& line, World& world);

}  // namespace protean
