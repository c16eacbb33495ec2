// A run as its newest checkpoint left it.
#pragma once

#include <string>

#include "protean/comm/communicator.h"
#include "protean/experiment/experiment.h"
#include "protean/run/checkpoint.h"

namespace protean {

struct StoredRun {
  std::string dir;
  Experiment experiment;
  MetaView meta;
};

// What a checkpoint holds of them, in host memory. Throws ConfigError when its
// layouts are not those of `spaces`.
MetaView stored_meta(const CheckpointState& stored, const MetaSpaces& spaces);

// theta and meta-state of a run's newest valid checkpoint, as every rank of
// comm gets them (collective). what: who names the run, "--run runs/a". Throws
// ConfigError where there is none, NumericError where its training has
// diverged.
struct StoredMeta {
  MetaView meta;
  int64_t step = 0;
};
StoredMeta load_meta(const std::string& run_dir, const std::string& what,
                     const Experiment& experiment, Communicator& comm);

}  // namespace protean
