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
std::string host_name();

}  // namespace protean
