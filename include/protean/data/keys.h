// The keys of section `data`.
#pragma once

#include "protean/data/options.h"

namespace protean {

class Settings;

void fields(Settings& s, DataOptions& o);

}  // namespace protean
