// A run as one of its checkpoints left it, and the one way to open it.
#pragma once

#include <string>

#include "protean/comm/communicator.h"
#include "protean/experiment/experiment.h"
#include "protean/experiment/run_data.h"
#include "protean/run/checkpoint.h"

namespace protean {

struct StoredRun {
  std::string dir;
  Experiment experiment;
  MetaView meta;  // float32, on the host
  int64_t step = 0;
};

// Collective; every rank gets the same. The data are the run's own
// (run_data.h). what: who names the run, "--run" or "generator.from". Throws
// ConfigError where there is no run, DataError where none of its checkpoints is
// whole, NumericError where its training has diverged.
StoredRun load_run(const std::string& dir, const std::string& what,
                   Communicator& comm, OpenFor purpose = OpenFor::use);
// The same with another configuration than the one it stored: that, with what a
// user changes of it.
StoredRun load_run(const Config& config, const std::string& dir,
                   const std::string& what, Communicator& comm,
                   OpenFor purpose = OpenFor::use,
                   const AskedOfRun& asked = {});

// DIR/config.ini; throws ConfigError when there is none.
std::filesystem::path run_config_path(const std::string& dir,
                                      const std::string& what);

// theta and meta-state of a checkpoint, in host memory. Throws ConfigError when
// its layouts are not those of `spaces`.
MetaView stored_meta(const CheckpointState& stored, const MetaSpaces& spaces);

// Throws ConfigError unless the other run took the same data's images as this
// one does: ink as 1, or as 0 (data.invert).
void check_same_ink(const std::string& what, const StoredRun& other,
                    const Experiment& own);

}  // namespace protean
