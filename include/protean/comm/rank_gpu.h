// Which GPU is a rank's: one rule for every command and for NCCL.
#pragma once

#include <string>

#include "protean/comm/world.h"

namespace protean {

// Where a rank is on its host.
struct RankPlace {
  std::string host;
  int local_rank = 0;
  int local_size = 1;
  bool thread = false;  // ranks are threads of one process, not processes
};
RankPlace place_of(const World& world);

// The index, among the `visible` GPUs of this process, of the one for this
// rank. Throws ConfigError where there is none for it.
//
//   one is visible       that one: the launcher gave each rank its own, or they
//                        share the only one (which NCCL refuses)
//   ranks are processes  by local rank; more of them than GPUs are refused
//   ranks are threads    by local rank, in turn where there are more ranks than
//                        GPUs: gpus_are_shared()
int rank_gpu(int visible, const RankPlace& place);
bool gpus_are_shared(int visible, const RankPlace& place);

}  // namespace protean
