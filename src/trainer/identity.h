// What a run must keep when it goes on.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "protean/experiment/config.h"

namespace protean {

// What a run must keep when it is resumed: kept_values() and, in exact, `bits`
// and the build, which its bits depend on. A JSON object key -> value.
nlohmann::json run_identity(const ConfigValues& kept, const ConfigValues& bits,
                            const std::string& data_checksum);
// Throws ConfigError naming the first key that differs. A key that the stored
// one lacks is newer than its build, and had the default's effect.
void check_identity(const nlohmann::json& stored, const nlohmann::json& now,
                    const ConfigValues& defaults, bool exact);

}  // namespace protean
