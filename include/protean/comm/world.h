// The ranks of this job: how they are started, how they end.
//
// A World owns the library (MPI, NCCL) from start to finish. control moves
// small host buffers; data moves gradients (host memory, or device memory with
// NCCL).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protean/comm/communicator.h"

namespace protean {

struct CommOptions {
  // comm.backend: inproc, mpi, nccl or auto (mpi under a launcher, else
  // inproc).
  std::string backend = "auto";
  // comm.ranks: threads that act as ranks; inproc only.
  int ranks = 1;
  // comm.timeout_s: a collective that takes longer ends the job. Seconds.
  double timeout_s = 300;
  // comm.init_timeout_s: MPI_Init, communicator set-up, MPI_Finalize. Seconds.
  double init_timeout_s = 120;
};

struct World {
  std::unique_ptr<Communicator> control;
  // Null: use control (one host communicator serves both).
  std::unique_ptr<Communicator> data;
  int local_rank = 0;  // among the ranks of this host
  std::string host;
  Communicator& data_plane() { return data ? *data : *control; }
};

// Runs body once per rank of this process (once for mpi and nccl, comm.ranks
// times on threads for inproc) and returns the process's exit code, the same
// on every rank: the largest that any rank returned. An exception on one rank
// is logged there once and ends every rank: inproc ranks get CommError from
// their next call, an MPI job is aborted with the error's exit code, after the
// others had `grace` to say what they know. Nobody waits in MPI_Finalize.
int run_world(const CommOptions& options,
              const std::function<int(World&)>& body);

// True when a launcher started this process as one of several (or one) ranks.
bool under_mpi_launcher();

// Whether this build can use the NCCL backend, and if not, why.
bool nccl_available(std::string* reason);

}  // namespace protean
