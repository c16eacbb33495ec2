#include "protean/comm/world.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

#include "protean/comm/inproc.h"
#include "protean/comm/preflight.h"
#include "protean/core/log.h"

#include "comm/launcher.h"
#include "comm/mpi/mpi_world.h"
#include "comm/nccl/api.h"
#include "comm/nccl/nccl_communicator.h"
#include "comm/recorded.h"

namespace protean {
namespace {

using Body = std::function<int(World&)>;
using AddData = std::function<void(World&)>;

void check_options(const CommOptions& o) {
  auto positive = [](const char* key, double value) {
    if (!(value > 0))
      throw ConfigError(concat(key, " = ", value, "; expected > 0 seconds"));
  };
  if (o.backend != "auto" && o.backend != "inproc" && o.backend != "mpi" &&
      o.backend != "nccl")
    throw ConfigError(concat("comm.backend = \"", o.backend,
                             "\"; expected one of: inproc, mpi, nccl, auto"));
  constexpr int kMostThreads = 1024;
  if (o.ranks < 1 || o.ranks > kMostThreads)
    throw ConfigError(
        concat("comm.ranks = ", o.ranks, "; expected 1 to ", kMostThreads));
  positive("comm.timeout_s", o.timeout_s);
  positive("comm.init_timeout_s", o.init_timeout_s);
  if (!(o.grace_s >= 0))
    throw ConfigError(
        concat("comm.grace_s = ", o.grace_s, "; expected >= 0 seconds"));
  if (o.chunk_bytes == 0)
    throw ConfigError("comm.chunk_bytes = 0; expected >= 1");
}

// The ranks of this process as threads. Errors: the culprit's is logged.
class InprocRun {
 public:
  InprocRun(const CommOptions& options, const AddData& add_data,
            const Body& body)
      : options_(options),
        add_data_(add_data),
        body_(body),
        ranks_(make_inproc(options.ranks, options)) {}

  int run() {
    if (options_.ranks == 1) {
      run_rank(0);
      return code_;
    }
    std::vector<std::thread> threads;
    for (int r = 0; r < options_.ranks; ++r)
      threads.emplace_back([this, r] { run_rank(r); });
    for (auto& t : threads) t.join();
    return code_;
  }

 private:
  void run_rank(int rank) {
    set_thread_log_rank(rank, options_.ranks);
    World world;
    auto& [comm, mail] = ranks_[static_cast<size_t>(rank)];
    world.control = std::move(comm);
    world.mail = std::move(mail);
    world.local_rank = rank;
    world.local_size = options_.ranks;
    world.host = host_name();
    try {
      if (add_data_) add_data_(world);
      world.control = recorded(std::move(world.control), "control");
      if (world.data) world.data = recorded(std::move(world.data), "data");
      const int code = body_(world);
      world.data.reset();
      finish(code);
    } catch (const AgreedError& e) {
      if (rank == 0) log_error(e.what());
      dump_calls();
      finish(e.exit_code());
    } catch (const PeerError& e) {  // logged where it came from
      dump_calls();
      finish(e.exit_code());
    } catch (const Error& e) {
      fail(world, e.what(), e.exit_code());
    } catch (const std::exception& e) {
      fail(world, e.what(), kExitFailed);
    } catch (...) {
      fail(world, "an exception of unknown type", kExitFailed);
    }
  }

  void fail(World& world, const std::string& why, int exit_code) {
    log_error(why);
    dump_calls();
    world.control->fail(why, exit_code);
    finish(exit_code);
  }

  void finish(int code) {
    std::lock_guard lock(mutex_);
    code_ = std::max(code_, code);
  }

  const CommOptions& options_;
  const AddData& add_data_;
  const Body& body_;
  std::vector<InprocRank> ranks_;
  std::mutex mutex_;
  int code_ = 0;
};

}  // namespace

int run_world(const CommOptions& options, const Body& body) {
  check_options(options);
  const Launcher launcher = find_launcher();
  const bool launched = !launcher.name.empty();
  const bool mpi =
      options.backend == "mpi" || (launched && options.backend != "inproc");
  if (mpi && options.ranks != 1)
    throw ConfigError(concat("comm.ranks = ", options.ranks,
                             " is for comm.backend = inproc; under MPI the "
                             "launcher gives the ranks"));
  if (options.backend == "inproc" && launcher.ranks > 1)
    throw ConfigError(concat("comm.backend = inproc, but ", launcher.name,
                             " started ", launcher.ranks,
                             " processes; expected mpi, nccl or auto"));
  if (const auto foreign = foreign_launcher(); !launched && foreign.ranks > 1)
    throw ConfigError(concat(
        foreign.name, " started ", foreign.ranks,
        " processes, which would all make the same run; expected "
        "launch/mpirun.sh ",
        foreign.ranks,
        ", srun --mpi=pmix, or one process with comm.ranks = ", foreign.ranks));
  AddData add_data;
  if (options.backend == "nccl") {
    add_data = [&](World& world) {
      // Before anything that a rank without NCCL would leave the others in.
      const nccl::Api* api = nullptr;
      agree(*world.control, [&] { api = &nccl::load(); });
      world.data = nccl::make(*api, world, options);
    };
  }
  if (mpi) return mpi::run(options, add_data, body);
  return InprocRun(options, add_data, body).run();
}

bool nccl_available(std::string* reason) { return nccl::available(reason); }

std::string nccl_version() { return nccl::version(); }

}  // namespace protean
