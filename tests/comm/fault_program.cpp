// A job that goes wrong in the way its first argument says, on its last rank.
// Run by fault.sh under mpirun. Further arguments only mark the process.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "protean/comm/preflight.h"
#include "protean/comm/world.h"

#include "comm/launcher.h"

using namespace protean;

int main(int argc, char** argv) {
  const std::string fault = argc > 1 ? argv[1] : "none";
  CommOptions options;
  options.backend = "mpi";
  const bool short_wait =
      fault == "timeout" || fault == "rank_stopped" || fault == "other_call";
  options.timeout_s = short_wait ? 1 : 30;
  options.init_timeout_s = fault == "init_timeout" ? 2 : 20;
  if (fault == "init_timeout" && find_launcher().rank == 2)
    std::this_thread::sleep_for(std::chrono::seconds(60));
  try {
    return run_world(options, [&](World& world) {
      Communicator& comm = *world.control;
      const int last = comm.size() - 1;
      std::vector<float> v(100000);
      auto step = [&] {
        comm.all_reduce(v.data(), v.size(), DType::f32, ReduceOp::sum);
      };
      comm.set_activity("step 7");
      step();
      if (fault == "ranks_disagree")
        preflight(comm, {{"task.ways", comm.rank() == last ? "20" : "5"}});
      if (comm.rank() == last) {
        if (fault == "rank_throws") throw ConfigError("task.ways = 0");
        if (fault == "rank_leaves") {
          auto request = comm.start_all_reduce(v.data(), v.size(), DType::f32,
                                               ReduceOp::sum);
          throw DataError("no such file");
        }
        if (fault == "rank_exits") std::exit(3);
        if (fault == "rank_vanishes") _exit(4);
        if (fault == "rank_killed") ::raise(SIGKILL);
        if (fault == "rank_stopped") ::raise(SIGSTOP);
        if (fault == "rank_terminates")
          std::thread([] { throw DataError("lost on a thread"); }).join();
        if (fault == "timeout")  // its last call was the all_reduce
          std::this_thread::sleep_for(std::chrono::seconds(60));
        if (fault == "other_call") comm.barrier();
      }
      for (int k = 0; k < 3; ++k) step();
      if (fault != "none")
        for (;;) comm.barrier();
      return 0;
    });
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
