// The page of all keys, configs/README.md: `protean config --reference`.
#pragma once

#include <string>

#include "protean/core/settings.h"

namespace protean {

std::string reference(const Settings& settings);

}  // namespace protean
