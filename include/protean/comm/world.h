// The ranks of this job: how they are started, how they end.
//
// A World owns the library (MPI, NCCL) from start to finish. control moves
// small host buffers; data moves gradients (host memory, or device memory with
// NCCL).
//
// No wait is without an end: collectives obey timeout_s; MPI_Init,
// communicator set-up, MPI_Finalize and MPI_Abort obey init_timeout_s under a
// watchdog that prints one line (rank, host, operation) and ends the process
// with code 1, since those calls cannot be interrupted.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protean/comm/communicator.h"
#include "protean/comm/mailbox.h"

namespace protean {

struct CommOptions {
  // comm.backend: inproc, mpi, nccl or auto (mpi under a launcher, else
  // inproc).
  std::string backend = "auto";
  // comm.ranks: threads that act as ranks; inproc, and nccl without a launcher
  // (one GPU per thread).
  int ranks = 1;
  // comm.timeout_s: a collective that takes longer ends the job. Seconds.
  double timeout_s = 300;
  // comm.init_timeout_s: MPI_Init, communicator set-up, MPI_Finalize. Seconds.
  double init_timeout_s = 120;
  // comm.grace_s: how long a failing rank waits for the others to learn why
  // before it aborts the job. Seconds.
  double grace_s = 1;
  // comm.chunk_bytes: larger buffers travel in pieces of this size; bounds the
  // library's scratch memory and stays below its 2^31 counts.
  size_t chunk_bytes = size_t{64} << 20;
  // comm.slice_ranks: up to this many ranks, mpi sums slices itself, in rank
  // order; beyond, SumOrder::fast is left to the library's trees.
  int slice_ranks = 8;
};

struct World {
  std::unique_ptr<Communicator> control;
  // Null: use control (one host communicator serves both).
  std::unique_ptr<Communicator> data;
  // Over the same ranks as control.
  std::unique_ptr<Mailbox> mail;
  int local_rank = 0;  // among the ranks of this host
  int local_size = 1;
  std::string host;
  // What the MPI library calls itself; empty for inproc.
  std::string mpi_version;
  Communicator& data_plane() { return data ? *data : *control; }
};

// Runs body once per rank of this process (once for mpi, comm.ranks times on
// threads for inproc) and returns the process's exit code, the same on every
// rank: the largest that any rank returned.
//
// An exception on one rank is logged there once and ends every rank. inproc:
// the others get PeerError from their current or next call; run_world returns
// the error's exit code once all threads are back. mpi: the others get the same
// and log it; then the job is aborted with that exit code and run_world does
// not return. Nobody waits in MPI_Finalize. The same holds for an exception
// that reaches std::terminate and for a call of exit() inside body.
// AgreedError (preflight.h) is the exception: every rank has it, rank 0 logs
// it, run_world returns its code on all of them.
//
// mpi can be run once per process. body and its threads must be done with the
// World when body returns.
int run_world(const CommOptions& options,
              const std::function<int(World&)>& body);

// True when a launcher (mpirun, mpiexec, srun) started this process as a rank.
// By environment only; MPI is not touched.
bool under_mpi_launcher();

// Whether this build and this machine can use the NCCL backend, and if not,
// why.
bool nccl_available(std::string* reason);
// "2.28.9"; empty where there is none.
std::string nccl_version();

}  // namespace protean
