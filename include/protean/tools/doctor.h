// protean doctor: is this allocation fit for a long run? Run under the same
// launcher, hosts and threads as the run itself; takes some ten seconds.
//
// Every rank measures its matrix products, its disk and its clock, reads its
// limits, and all measure the collectives together. What is out of line (a rank
// more than 10 % below the median, a limit that is known to end runs) becomes a
// finding: who, what, what to do.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/comm/world.h"

namespace protean {

struct DoctorOptions {
  int threads = 1;              // run.threads
  std::string folder = ".";     // where runs will be written
  double seconds = 1;           // of matrix products
  size_t most_bytes = 1 << 26;  // largest all-reduce of the sweep
  // run.device: measure each rank's GPU too, where it is not cpu.
  std::string device = "cpu";
};

// What one rank found about itself. Plain data: it travels as bytes.
struct RankHealth {
  char host[64] = {};
  char versions[192] = {};    // LibTorch, MPI, NCCL, system
  char interfaces[192] = {};  // "eth0 10.0.0.7, ..."
  char disk_error[128] = {};  // empty: the folder can be written
  char gpu_error[256] = {};   // empty: the GPU, if asked for, computes
  double matrix_gflops = 0;   // all of the rank's threads
  double gpu_gflops = 0;      // of its GPU, float32; 0: not measured
  double clock_s = 0;         // ahead of rank 0
  double sync_ms = 0;         // one 4 KiB write and fsync, median
  double disk_mib_s = 0;      // 16 MiB with one fsync
  double disk_free_gib = 0;
  double shm_free_mib = 0;
  double memory_free_gib = 0;
  double load = 0;  // runnable processes of the host, last minute
  int64_t open_files = 0;
  int64_t locked_kib = 0;  // -1: unlimited
  int64_t stack_kib = 0;   // -1: unlimited
  int32_t cpus_allowed = 0, cpus_of_host = 0;
  int32_t local_rank = 0, local_size = 1, threads = 1;
  int32_t shm_is_there = 0;
};

struct AllReduceRate {
  size_t bytes = 0;
  double seconds = 0;   // median of one call
  double bus_gb_s = 0;  // 2 (n - 1) / n bytes / seconds, as nccl-tests counts
};

struct Diagnosis {
  std::vector<RankHealth> ranks;
  std::vector<AllReduceRate> host;  // of host memory; empty for one rank
  std::vector<AllReduceRate> gpu;   // of GPU memory by NCCL; empty without
  // "rank 3 on node2: matrix products ...; do this".
  std::vector<std::string> findings;
  nlohmann::json to_json() const;
};

// Collective; every rank gets the same.
Diagnosis diagnose(World& world, const DoctorOptions& options);

// The findings alone: a pure function of what was measured.
std::vector<std::string> findings(const std::vector<RankHealth>& ranks);

}  // namespace protean
