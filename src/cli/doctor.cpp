#include "protean/tools/doctor.h"

#include <cstdio>

#include "protean/core/error.h"

#include "cli/commands.h"

namespace protean {
namespace {

void print_rates(const char* memory, size_t ranks,
                 const std::vector<AllReduceRate>& rates) {
  if (rates.empty()) return;
  std::printf("\nall-reduce of %s, %zu ranks\n", memory, ranks);
  for (const auto& r : rates)
    std::printf("  %9zu B %10.1f us %8.3f GB/s bus\n", r.bytes, 1e6 * r.seconds,
                r.bus_gb_s);
}

void print(const Diagnosis& d) {
  std::printf("%-5s %-16s %5s %9s %9s %8s %8s %9s %8s\n", "rank", "host",
              "CPUs", "GFLOP/s", "clock ms", "sync ms", "MiB/s", "free GiB",
              "shm MiB");
  for (size_t r = 0; r < d.ranks.size(); ++r) {
    const auto& h = d.ranks[r];
    std::printf("%-5zu %-16.16s %2d/%-2d %9.1f %9.2f %8.2f %8.0f %9.1f %8.0f\n",
                r, h.host, h.cpus_allowed, h.cpus_of_host, h.matrix_gflops,
                1e3 * h.clock_s, h.sync_ms, h.disk_mib_s, h.disk_free_gib,
                h.shm_free_mib);
  }
  const auto& first = d.ranks.front();
  std::printf("\n%s\ninterfaces of %s: %s\n", first.versions, first.host,
              first.interfaces[0] ? first.interfaces : "none but loopback");
  for (size_t r = 0; r < d.ranks.size(); ++r)
    if (d.ranks[r].gpu_gflops > 0)
      std::printf("GPU of rank %zu: %.0f GFLOP/s\n", r, d.ranks[r].gpu_gflops);
  print_rates("host memory", d.ranks.size(), d.host);
  print_rates("GPU memory", d.ranks.size(), d.gpu);
  std::printf("\n%s\n", d.findings.empty() ? "nothing to report" : "findings:");
  for (const auto& line : d.findings) std::printf("  %s\n", line.c_str());
}

const std::vector<CommandFlag> kFlags = {
    {"folder", "DIR", ".", "where runs will be written"}};

// Keys that --help shows.
const std::vector<std::string> kUsual = {"run.threads", "run.device",
                                         "comm.backend"};

}  // namespace

int run_doctor(const Arguments& args) {
  if (print_help(args,
                 "doctor [--folder DIR] [--run.threads N] [--run.device cuda]",
                 kFlags, kUsual))
    return kExitDone;
  return with_world("doctor", args, kFlags, nullptr,
                    [](const CommandLine& line, World& world) {
                      DoctorOptions options;
                      options.threads = line.config.run.threads;
                      options.folder = line.flags.at("folder");
                      options.device = line.config.run.device;
                      const auto diagnosis = diagnose(world, options);
                      if (world.control->rank() != 0) return kExitDone;
                      if (line.json)
                        std::printf("%s\n", diagnosis.to_json().dump().c_str());
                      else
                        print(diagnosis);
                      return kExitDone;
                    });
}

}  // namespace protean
