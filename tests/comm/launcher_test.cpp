#include "comm/launcher.h"

#include <cstdlib>
#include <map>
#include <string>

#include "protean/comm/world.h"

#include "support/catch.h"

namespace protean {
namespace {

// The environment of a launcher, and only that one, while it lives.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) {
    for (const char* name :
         {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_SIZE",
          "PMI_RANK", "PMIX_RANK", "SLURM_PROCID", "SLURM_NTASKS",
          "SLURM_STEP_ID", "SLURM_STEPID", "SLURM_STEP_NUM_TASKS",
          "ENVIRONMENT"}) {
      if (const char* value = std::getenv(name)) before_[name] = value;
      ::unsetenv(name);
    }
    for (const auto& [name, value] : values) {
      ::setenv(name.c_str(), value.c_str(), 1);
      ours_.push_back(name);
    }
  }
  ~Environment() {
    for (const auto& name : ours_) ::unsetenv(name.c_str());
    for (const auto& [name, value] : before_)
      ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::string> before_;
  std::vector<std::string> ours_;
};

TEST_CASE("launchers are known by what they set", "[comm][launcher]") {
  auto found = [](const std::map<std::string, std::string>& values) {
    Environment environment(values);
    const Launcher l = find_launcher();
    return concat(l.name, " ", l.rank, "/", l.ranks);
  };
  CHECK(found({}) == " 0/1");
  CHECK(found({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "2"}}) ==
        "mpirun 2/4");
  CHECK(found({{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}}) ==
        "mpirun 0/1");
  CHECK(found({{"PMI_SIZE", "3"}, {"PMI_RANK", "1"}}) == "mpiexec 1/3");
  CHECK(found({{"SLURM_PROCID", "5"},
               {"SLURM_NTASKS", "8"},
               {"SLURM_STEP_ID", "0"}}) == "srun 5/8");
  // A step of fewer tasks than the allocation.
  CHECK(found({{"SLURM_PROCID", "1"},
               {"SLURM_NTASKS", "8"},
               {"SLURM_STEP_ID", "0"},
               {"SLURM_STEP_NUM_TASKS", "2"}}) == "srun 1/2");
  // mpirun inside a Slurm step that started its daemons.
  CHECK(found({{"SLURM_PROCID", "0"},
               {"SLURM_NTASKS", "2"},
               {"SLURM_STEP_ID", "0"},
               {"OMPI_COMM_WORLD_SIZE", "6"},
               {"OMPI_COMM_WORLD_RANK", "3"}}) == "mpirun 3/6");
  // The shell of an sbatch script starts one process, whatever the allocation.
  CHECK(found({{"SLURM_PROCID", "0"},
               {"SLURM_NTASKS", "8"},
               {"ENVIRONMENT", "BATCH"}}) == " 0/1");
  // salloc.
  CHECK(found({{"SLURM_NTASKS", "8"}}) == " 0/1");
}

TEST_CASE("auto stays in one process without a launcher", "[comm][launcher]") {
  Environment environment({});
  CHECK_FALSE(under_mpi_launcher());
  CHECK(run_world({}, [](World& world) {
          CHECK(std::string(world.control->backend()) == "inproc");
          return 0;
        }) == 0);
}

TEST_CASE("inproc is refused where a launcher made several processes",
          "[comm][launcher]") {
  Environment environment(
      {{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "0"}});
  CommOptions options;
  options.backend = "inproc";
  CHECK_THROWS_AS(run_world(options, [](World&) { return 0; }), ConfigError);
}

}  // namespace
}  // namespace protean
