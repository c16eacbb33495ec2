#include "protean/comm/keys.h"
#include "protean/core/settings.h"

namespace protean {

void fields(Settings& s, CommOptions& o) {
  s.add("comm.backend", &o.backend)
      .says(
          "what connects the ranks: inproc (threads of one process), mpi, nccl "
          "(GPUs), or auto (mpi under a launcher, else inproc)")
      .when("rarely: auto finds out")
      .one_of({"inproc", "mpi", "nccl", "auto"})
      .resumes(Resume::may_change)
      .also_called({"dist_backend"});
  s.add("comm.ranks", &o.ranks)
      .says(
          "threads that act as ranks, without a launcher; with nccl one per "
          "GPU")
      .when(
          "to use several cores from one process; run.threads times this "
          "should not exceed the cores")
      .within(1, 1024)
      .resumes(Resume::may_change)
      .also_called({"world_size"});
  s.add("comm.timeout_s", &o.timeout_s)
      .says("seconds that a collective may take before the job ends")
      .when("longer when single stacks of tasks take minutes")
      .above(0)
      .resumes(Resume::may_change);
  s.add("comm.init_timeout_s", &o.init_timeout_s)
      .says("seconds that starting and ending MPI or NCCL may take")
      .when("longer for thousands of ranks")
      .above(0)
      .resumes(Resume::may_change);
  s.add("comm.grace_s", &o.grace_s)
      .says(
          "seconds that a failing rank gives the others to learn why, before "
          "it aborts the job")
      .when("rarely")
      .at_least(0)
      .resumes(Resume::may_change);
  s.add("comm.chunk_bytes", &o.chunk_bytes)
      .says(
          "bytes of the largest piece on the wire; larger buffers travel in "
          "pieces")
      .when("smaller when the library's own buffers are short of memory")
      .at_least(1)
      .resumes(Resume::may_change);
}

}  // namespace protean
