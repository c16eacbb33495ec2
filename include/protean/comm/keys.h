// The keys of section `comm` that belong to the ranks.
#pragma once

#include "protean/comm/world.h"

namespace protean {

class Settings;

void fields(Settings& s, CommOptions& o);

}  // namespace protean
