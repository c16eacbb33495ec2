// A run as its newest checkpoint left it.
#pragma once

#include <string>

#include "protean/trainer/experiment.h"

namespace protean {

struct StoredRun {
  std::string dir;
  Experiment experiment;
  MetaView meta;
};

}  // namespace protean
