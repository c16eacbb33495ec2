// One of a run's checkpoints, by what a user calls it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "protean/run/checkpoint.h"

namespace protean {

// which: latest, as find_newest_valid; best, of the best validation; or a step.
// Looks in `checkpoints` and, when that is not empty, in `fallback`. nullopt
// when there is none at all. Throws ConfigError listing the steps there are
// when it is not among them, DataError when it is broken.
std::optional<FoundCheckpoint> find_checkpoint(
    const std::filesystem::path& checkpoints,
    const std::filesystem::path& fallback, const std::string& which);

}  // namespace protean
