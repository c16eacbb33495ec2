// What the environment says about the launcher that started this process.
#pragma once

#include <string>

namespace protean {

struct Launcher {
  std::string name;  // "mpirun", "mpiexec", "srun"; empty: none
  int ranks = 1;     // that it says it started
  int rank = 0;      // of this process
};

Launcher find_launcher();
// One that starts processes which know nothing of each other here: torchrun,
// accelerate and others that set RANK and WORLD_SIZE. Of several processes, and
// where there is no launcher of MPI's.
Launcher foreign_launcher();
std::string host_name();

}  // namespace protean
