#include "comm/launcher.h"

#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "protean/comm/world.h"

namespace protean {
namespace {

// Of the first variable that is set; -1 if none is.
int number(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value && *value)
      return std::atoi(value);
  return -1;
}

}  // namespace

Launcher find_launcher() {
  // Open MPI's mpirun and MPICH's Hydra say exactly what they started; inside a
  // Slurm step that started them, Slurm's own variables count daemons.
  if (int n = number({"OMPI_COMM_WORLD_SIZE"}); n > 0)
    return {"mpirun", n, number({"OMPI_COMM_WORLD_RANK"})};
  if (int n = number({"PMI_SIZE"}); n > 0)
    return {"mpiexec", n, number({"PMI_RANK"})};
  if (std::getenv("SLURM_PROCID")) {
    // The shell of an sbatch script has SLURM_PROCID and SLURM_NTASKS as well,
    // but is no step.
    const char* shell = std::getenv("ENVIRONMENT");
    const bool step = number({"SLURM_STEP_ID", "SLURM_STEPID"}) >= 0 ||
                      !shell || std::strcmp(shell, "BATCH") != 0;
    const int n = number({"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"});
    if (step && (n > 1 || std::getenv("PMIX_RANK")))
      return {"srun", n > 0 ? n : 1, number({"SLURM_PROCID"})};
  }
  if (int rank = number({"PMIX_RANK"}); rank >= 0) return {"pmix", 1, rank};
  return {};
}

Launcher foreign_launcher() {
  const int n = number({"WORLD_SIZE"}), rank = number({"RANK"});
  if (n < 2 || rank < 0) return {};
  const bool elastic = std::getenv("TORCHELASTIC_RUN_ID") != nullptr;
  return {elastic ? "torchrun" : "a launcher for PyTorch (RANK, WORLD_SIZE)", n,
          rank};
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "unknown-host";
  return name;
}

bool under_mpi_launcher() { return !find_launcher().name.empty(); }

}  // namespace protean
