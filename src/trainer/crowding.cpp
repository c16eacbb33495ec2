#include "trainer/crowding.h"

#include <sched.h>
#include <unistd.h>

#include "protean/core/error.h"
#include "protean/core/log.h"

namespace protean {

void warn_of_crowding(const World& world, int threads) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const int cores = CPU_COUNT(&allowed);
  const long of_host = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (threads > cores)
    log_shared_warning(concat("run.threads = ", threads,
                              ", but a rank may use ", cores, " of the ",
                              of_host, " cores of ", world.host,
                              "; threads will wait for each other"));
  else if (int64_t{threads} * world.local_size > of_host)
    log_shared_warning(concat(world.local_size, " ranks x ", threads,
                              " threads on the ", of_host, " cores of ",
                              world.host, "; they will wait for each other"));
}

}  // namespace protean
