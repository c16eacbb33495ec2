// The keys of section `coordinator`.
#pragma once

#include "protean/coordinator/options.h"

namespace protean {

class Settings;

void fields(Settings& s, CoordinatorOptions& o);

}  // namespace protean
