// The keys of the whole configuration.
#pragma once

#include <filesystem>

#include "protean/experiment/config.h"

namespace protean {

class Settings;

void fields(Settings& s, CheckpointOptions& o);
// Every key, bound to its field, and who reads it: config must outlive the
// table and hold the defaults.
void fields(Settings& s, Config& config);

// Throws ConfigError on a value out of range, and on one that nothing in the
// configuration reads and that is not the default.
void check(const Config& config);

// The configuration that a run has stored, its config.ini. Older builds took
// values that nothing reads: such a one becomes its default, with a warning.
// Throws ConfigError.
Config read_stored_config(const std::filesystem::path& path);

// What a continued run must have the same value of: all that decides its bits.
// Where validations decide which tasks there are, eval.* is among it. Keys that
// nothing in the configuration reads are not.
ConfigValues kept_values(const Config& config);

}  // namespace protean
