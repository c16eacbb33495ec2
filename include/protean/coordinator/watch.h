// Who has been silent for too long, and who lives but does not move.
//
// No thread and no clock: the caller says what it heard and what time it is
// (seconds from anywhere). Used by the coordinator for the ranks, and by every
// station for the coordinator.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protean/coordinator/options.h"
#include "protean/coordinator/protocol.h"

namespace protean {

class Watch {
 public:
  // who[i]: how messages call peer i ("rank 2").
  Watch(std::vector<std::string> who, const CoordinatorOptions& options,
        double now);

  void hello(size_t peer, const Hello& hello, double now);
  void heard(size_t peer, double now);  // a sign of life without news
  void heard(size_t peer, const Beat& beat, double now);
  void bye(size_t peer);

  struct Finding {
    bool fatal = false;  // the job has to end; otherwise people should know
    std::string line;    // names peer, host, step and phase
  };
  // Every heartbeat or oftener; each finding comes once until it ends.
  std::vector<Finding> check(double now);

 private:
  struct Peer {
    std::string who;  // "rank 2 on node7 (process 123)" once that is known
    double last_sign = 0;
    double last_progress = 0;
    Beat beat;
    bool has_beat = false;
    bool named = false;  // as silent
    bool gone = false;
  };
  std::string place(const Peer& peer) const;  // ", last seen at step 7, ..."

  std::vector<Peer> peers_;
  CoordinatorOptions options_;
  double last_check_;
};

}  // namespace protean
