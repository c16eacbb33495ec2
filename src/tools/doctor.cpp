#include "protean/tools/doctor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "protean/core/clock.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/experiment/device.h"
#include "protean/run/provenance.h"

#include "tools/host_health.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

// While all ranks do the same: that is how they will run.
double matrix_gflops(double seconds, at::Device device) {
  const int64_t side = device.is_cuda() ? 4096 : 768;
  const auto options = at::device(device);
  const auto a = at::rand({side, side}, options),
             b = at::rand({side, side}, options);
  auto c = at::mm(a, b);
  // A GPU queues products; reading a value waits for those so far.
  const auto wait = [&] {
    if (!device.is_cpu()) c.select(0, 0).select(0, 0).item<float>();
  };
  wait();
  const auto start = Clock::now();
  int products = 0;
  while (seconds_since(start) < seconds) {
    at::mm_out(c, a, b);
    ++products;
    wait();
  }
  return products * 2e-9 * std::pow(static_cast<double>(side), 3) /
         seconds_since(start);
}

// The CPU where there is no other device for this rank.
at::Device measure_gpu(const DoctorOptions& options, const World& world,
                       RankHealth& own) {
  at::Device device = at::kCPU;
  try {
    device = device_of(options.device, place_of(world));
    if (!device.is_cpu())
      own.gpu_gflops = matrix_gflops(options.seconds, device);
  } catch (const std::exception& e) {
    const std::string what = e.what();
    assign(own.gpu_error, what.substr(0, what.find('\n')));
  }
  return device;
}

// Collective. Whether no rank is left with its CPU.
bool has_everywhere(at::Device device, Communicator& comm) {
  int64_t all = !device.is_cpu();
  comm.all_reduce(&all, 1, DType::i64, ReduceOp::min);
  return all;
}

// Seconds that this host's clock is ahead of rank 0's, as far as a barrier can
// tell.
double clock_offset(Communicator& comm) {
  std::vector<double> offsets;
  std::vector<double> all(comm.size());
  for (int i = 0; i < 11; ++i) {
    comm.barrier();
    const double now = std::chrono::duration<double>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    comm.all_gather(&now, all.data(), sizeof now);
    offsets.push_back(now - all[0]);
  }
  return median(offsets);
}

// control: of the same ranks, for what stands in host memory.
std::vector<AllReduceRate> all_reduce_sweep(Communicator& control,
                                            Communicator& comm, size_t most,
                                            at::Device device) {
  std::vector<AllReduceRate> rates;
  const auto data = at::zeros({static_cast<int64_t>(most / sizeof(float))},
                              at::device(device));
  for (size_t bytes = 8; bytes <= most; bytes *= 8) {
    std::vector<double> times;
    const auto start = Clock::now();
    // The slowest rank's clock decides for all when it is enough.
    for (double enough = 0; enough == 0;) {
      comm.barrier();
      const auto call = Clock::now();
      comm.all_reduce(data.data_ptr(), bytes / sizeof(float), DType::f32,
                      ReduceOp::sum);
      times.push_back(seconds_since(call));
      enough = times.size() >= 5 &&
               (times.size() >= 50 || seconds_since(start) > 0.3);
      control.broadcast(&enough, sizeof enough, 0);
    }
    const double n = comm.size(), seconds = median(times);
    rates.push_back(
        {bytes, seconds,
         2 * (n - 1) / n * static_cast<double>(bytes) / seconds * 1e-9});
  }
  return rates;
}

nlohmann::json rates_json(const std::vector<AllReduceRate>& rates) {
  auto out = nlohmann::json::array();
  for (const auto& r : rates)
    out.push_back(
        {{"bytes", r.bytes}, {"seconds", r.seconds}, {"bus_gb_s", r.bus_gb_s}});
  return out;
}

double rounded(double value) { return std::round(value * 10) / 10; }

// Collects lines "rank r on host: what; advice".
class Findings {
 public:
  explicit Findings(const std::vector<RankHealth>& ranks) : ranks_(ranks) {}
  // For every rank of which `wrong` says something; equal words of several
  // ranks become one line.
  void each(const std::function<std::string(const RankHealth&)>& wrong) {
    std::map<std::string, std::vector<size_t>> by_text;
    for (size_t r = 0; r < ranks_.size(); ++r) {
      const auto text = wrong(ranks_[r]);
      if (!text.empty()) by_text[text].push_back(r);
    }
    for (const auto& [text, ranks] : by_text) {
      std::string who =
          concat("rank ", ranks[0], " on ", ranks_[ranks[0]].host);
      if (ranks.size() > 1)
        who += concat(" and ", ranks.size() - 1,
                      ranks.size() == 2 ? " other" : " others");
      lines_.push_back(who + ": " + text);
    }
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  const std::vector<RankHealth>& ranks_;
  std::vector<std::string> lines_;
};

void look_at_speed(const std::vector<RankHealth>& ranks, Findings& out) {
  std::vector<double> speeds;
  for (const auto& h : ranks) speeds.push_back(h.matrix_gflops);
  const double typical = median(speeds);

  out.each([&](const RankHealth& h) -> std::string {
    if (h.matrix_gflops >= 0.9 * typical) return "";
    return concat("matrix products reach ", rounded(h.matrix_gflops),
                  " GFLOP/s, the median rank ", rounded(typical),
                  "; look for other load on the host (load ", rounded(h.load),
                  "), clock limits, or leave it out");
  });
  std::vector<double> gpus;
  for (const auto& h : ranks) gpus.push_back(h.gpu_gflops);
  const double typical_gpu = median(gpus);
  out.each([](const RankHealth& h) -> std::string {
    if (!h.gpu_error[0]) return "";
    return concat("its GPU cannot be used: ", h.gpu_error,
                  "; look at nvidia-smi there, and at the job's request for "
                  "GPUs");
  });
  out.each([&](const RankHealth& h) -> std::string {
    if (h.gpu_error[0] || h.gpu_gflops >= 0.9 * typical_gpu) return "";
    return concat("matrix products on its GPU reach ", rounded(h.gpu_gflops),
                  " GFLOP/s, the median rank ", rounded(typical_gpu),
                  "; look for other work on it, its clocks and its temperature "
                  "(nvidia-smi), or leave it out");
  });
}

void look_at_threads(Findings& out) {
  out.each([](const RankHealth& h) -> std::string {
    if (h.threads <= h.cpus_allowed) return "";
    return concat(h.threads, " threads may use ", h.cpus_allowed, " of ",
                  h.cpus_of_host,
                  " CPUs; bind wider (mpirun --bind-to none, srun "
                  "--cpus-per-task) or lower run.threads");
  });
  out.each([](const RankHealth& h) -> std::string {
    if (h.threads * h.local_size <= h.cpus_of_host) return "";
    return concat(h.local_size, " ranks x ", h.threads, " threads on ",
                  h.cpus_of_host,
                  " CPUs; use fewer, or let waiting ranks sleep (mpirun "
                  "--mca mpi_yield_when_idle 1)");
  });
}

void look_at_disk(Findings& out) {
  out.each([](const RankHealth& h) -> std::string {
    if (!h.disk_error[0]) return "";
    return concat("the folder for runs cannot be used: ", h.disk_error);
  });
  out.each([](const RankHealth& h) -> std::string {
    if (h.disk_error[0] || h.disk_free_gib >= 1) return "";
    return concat("only ", rounded(1024 * h.disk_free_gib),
                  " MiB free where runs are written; checkpoints will fail");
  });
  out.each([](const RankHealth& h) -> std::string {
    if (h.sync_ms < 200) return "";
    return concat("a 4 KiB write and sync takes ", rounded(h.sync_ms),
                  " ms; checkpoints will be slow: write them less often or "
                  "to another file system");
  });
}

void look_at_host(const std::vector<RankHealth>& ranks, Findings& out) {
  out.each([](const RankHealth& h) -> std::string {
    if (h.shm_is_there && h.shm_free_mib >= 64.0 * h.local_size) return "";
    return concat("/dev/shm has ", rounded(h.shm_free_mib), " MiB free for ",
                  h.local_size,
                  " ranks; MPI and NCCL want 64 MiB each (container: "
                  "--shm-size)");
  });
  out.each([](const RankHealth& h) -> std::string {
    if (h.open_files < 0 || h.open_files >= 1024) return "";
    return concat("only ", h.open_files,
                  " open files allowed; MPI uses one and more per rank: "
                  "ulimit -n 65536");
  });
  out.each([](const RankHealth& h) -> std::string {
    if (h.memory_free_gib >= 0.5) return "";
    return concat("only ", rounded(1024 * h.memory_free_gib),
                  " MiB of memory available");
  });
  out.each([](const RankHealth& h) -> std::string {
    if (std::abs(h.clock_s) < 1) return "";
    return concat("its clock is ", rounded(h.clock_s),
                  " s ahead of rank 0's; logs of ranks will not fit together: "
                  "start a time service");
  });
  out.each([&](const RankHealth& h) -> std::string {
    if (std::string(h.versions) == ranks.front().versions) return "";
    return concat("runs ", h.versions, ", rank 0 ", ranks.front().versions,
                  "; exact results need one software on all hosts");
  });
}

}  // namespace

std::vector<std::string> findings(const std::vector<RankHealth>& ranks) {
  Findings out(ranks);
  look_at_speed(ranks, out);
  look_at_threads(out);
  look_at_disk(out);
  look_at_host(ranks, out);
  return out.take();
}

Diagnosis diagnose(World& world, const DoctorOptions& options) {
  auto& comm = *world.control;
  at::set_num_threads(options.threads);
  RankHealth own;
  assign(own.host, world.host);
  own.local_rank = world.local_rank;
  own.local_size = world.local_size;
  own.threads = options.threads;
  const auto build = provenance(world.mpi_version, nccl_version());
  std::string versions;
  for (const char* key : {"libtorch", "mpi", "nccl", "system"})
    if (build.contains(key) && build[key].is_string())
      versions += concat(versions.empty() ? "" : ", ", key, " ",
                         build[key].get<std::string>());
  assign(own.versions, versions);
  read_limits(own);
  read_interfaces(own);
  measure_disk(options.folder, own);
  comm.barrier();
  own.matrix_gflops = matrix_gflops(options.seconds, at::kCPU);
  const auto device = measure_gpu(options, world, own);
  own.clock_s = clock_offset(comm);

  Diagnosis d;
  d.ranks.resize(comm.size());
  comm.all_gather(&own, d.ranks.data(), sizeof own);
  if (comm.size() > 1) {
    const bool apart = world.data && world.data->on_device();
    d.host = all_reduce_sweep(comm, apart ? comm : world.data_plane(),
                              options.most_bytes, at::kCPU);
    if (apart && has_everywhere(device, comm))
      d.gpu = all_reduce_sweep(comm, *world.data, options.most_bytes, device);
  }
  d.findings = findings(d.ranks);
  return d;
}

nlohmann::json Diagnosis::to_json() const {
  nlohmann::json out = {{"findings", findings},
                        {"all_reduce", rates_json(host)},
                        {"gpu_all_reduce", rates_json(gpu)},
                        {"ranks", nlohmann::json::array()}};
  for (const auto& h : ranks)
    out["ranks"].push_back({{"host", h.host},
                            {"versions", h.versions},
                            {"interfaces", h.interfaces},
                            {"local_rank", h.local_rank},
                            {"local_size", h.local_size},
                            {"threads", h.threads},
                            {"cpus_allowed", h.cpus_allowed},
                            {"cpus_of_host", h.cpus_of_host},
                            {"matrix_gflops", h.matrix_gflops},
                            {"gpu_gflops", h.gpu_gflops},
                            {"gpu_error", h.gpu_error},
                            {"clock_ahead_s", h.clock_s},
                            {"sync_ms", h.sync_ms},
                            {"disk_mib_s", h.disk_mib_s},
                            {"disk_free_gib", h.disk_free_gib},
                            {"disk_error", h.disk_error},
                            {"shm_free_mib", h.shm_free_mib},
                            {"memory_free_gib", h.memory_free_gib},
                            {"load", h.load},
                            {"open_files", h.open_files},
                            {"locked_kib", h.locked_kib},
                            {"stack_kib", h.stack_kib}});
  return out;
}

}  // namespace protean
