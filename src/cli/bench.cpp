#include "protean/tools/bench.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"

#include "cli/commands.h"

namespace protean {
namespace {

void print(const nlohmann::json& r) {
  std::printf("%s: %.4g tasks/s, %.4g ms per step (%d ranks x %d threads)\n",
              r["workload"].get<std::string>().c_str(),
              r["tasks_per_s"].get<double>(),
              1e3 * r["seconds_per_step"].get<double>(), r["ranks"].get<int>(),
              r["threads"].get<int>());
  for (const auto& [part, seconds] : r["breakdown"].items())
    std::printf("  %-9s %8.3f ms\n", part.c_str(), 1e3 * seconds.get<double>());
  std::printf(
      "  peak memory %.0f MiB over all ranks; %.0f %% of the %.0f GFLOP/s that "
      "multiply-adds reach\n",
      r["peak_rss_mib"].get<double>(),
      100 * r["useful_fraction_of_fma"].get<double>(),
      r["fma_gflops"].get<double>());
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {"bench.workload", "bench.ranks",
                                         "bench.threads", "bench.seconds"};

}  // namespace

int run_bench(const Arguments& args) {
  if (print_help(args, "bench --bench.workload NAME [--bench.seconds 10]", {},
                 kUsual)) {
    std::printf("\nworkloads:\n");
    for (const auto& name : bench_workloads())
      std::printf("  %s\n", name.c_str());
    return kExitDone;
  }
  // bench.ranks and bench.threads stand for comm.ranks and run.threads.
  Arguments all = args;
  try {
    const auto line = parse_command_line(args, {});
    all.insert(all.begin(), concat("--comm.ranks=", line.bench.ranks));
  } catch (const ConfigError&) {  // reported below, once for all ranks
  }
  return with_world(
      "bench", all, {}, nullptr, [](const CommandLine& line, World& world) {
        Config config;
        agree(*world.control, [&] {
          config = bench_config(line.bench.workload, line.config);
          config.run.threads = line.bench.threads;
        });
        const auto result =
            bench(line.bench.workload, config, line.bench.seconds, world);
        if (world.control->rank() != 0) return kExitDone;
        if (line.json)
          std::printf("%s\n", result.dump().c_str());
        else
          print(result);
        return kExitDone;
      });
}

}  // namespace protean
