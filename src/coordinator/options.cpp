#include "protean/coordinator/keys.h"
#include "protean/core/settings.h"

namespace protean {

void fields(Settings& s, CoordinatorOptions& o) {
  s.add("coordinator.heartbeat_s", &o.heartbeat_s)
      .says(
          "seconds between two signs of life of a rank, and of the "
          "coordinator")
      .when("rarely; longer on networks with few messages to spare")
      .above(0)
      .resumes(Resume::may_change);
  s.add("coordinator.warn_s", &o.warn_s)
      .says(
          "seconds without a sign of life after which a rank is named in a "
          "warning")
      .when("longer on hosts that swap or are suspended")
      .above(0)
      .resumes(Resume::may_change);
  s.add("coordinator.silence_s", &o.silence_s)
      .says("seconds without a sign of life after which the job ends")
      .when(
          "longer on networks that drop out; at least twice "
          "coordinator.heartbeat_s")
      .above(0)
      .resumes(Resume::may_change);
  s.add("coordinator.progress_s", &o.progress_s)
      .says(
          "seconds that a live rank may hold up the others before the job "
          "ends")
      .when("longer when one stack of tasks takes minutes")
      .above(0)
      .resumes(Resume::may_change);
  s.add("coordinator.dedicated", &o.dedicated)
      .says(
          "rank 0 computes no tasks: it plans, watches, keeps checkpoints and "
          "trains the generator of tasks")
      .when("with many ranks, or with generator.refresh")
      .resumes(Resume::may_change);
  s.add("coordinator.balance", &o.balance)
      .says(
          "deal tasks to ranks by measured cost; false, and with "
          "comm.reduction = fixed: by the tasks' shapes alone")
      .when("false for a plan that does not depend on timings")
      .resumes(Resume::may_change);
}

}  // namespace protean
