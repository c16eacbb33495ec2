#include "comm/mpi/mpi_world.h"

#include <atomic>
#include <cstdlib>
#include <exception>

#include <unistd.h>

#include "protean/comm/preflight.h"
#include "protean/core/log.h"

#include "comm/launcher.h"
#include "comm/mpi/engine.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/recorded.h"

namespace protean::mpi {
namespace {

// What the process-wide handlers end; null outside run().
std::atomic<Engine*> g_engine{nullptr};

std::string text_of(const std::exception_ptr& error, int* exit_code) {
  *exit_code = kExitFailed;
  try {
    if (error) std::rethrow_exception(error);
    return "terminated without an exception";
  } catch (const Error& e) {
    *exit_code = e.exit_code();
    return e.what();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

[[noreturn]] void end_job(Engine& engine, const std::string& why,
                          int exit_code) {
  log_error(why);
  dump_calls();
  engine.abort(why, exit_code);
}

// An exception that no one catches, on any thread.
[[noreturn]] void on_terminate() {
  int code;
  const std::string why = text_of(std::current_exception(), &code);
  if (Engine* engine = g_engine.exchange(nullptr)) end_job(*engine, why, code);
  log_error(why);
  _exit(code);
}

// exit() below run(): the others would wait for this rank.
void on_process_exit(int status, void*) {
  if (Engine* engine = g_engine.exchange(nullptr))
    end_job(*engine, concat("exit(", status, ") before the run was over"),
            status != 0 ? status : kExitFailed);
}

}  // namespace

int run(const CommOptions& options, const std::function<void(World&)>& add_data,
        const std::function<int(World&)>& body) {
  static std::atomic<bool> used{false};
  if (used.exchange(true))
    throw CommError("MPI can be started once per process");

  Engine engine(options);
  const int rank = engine.world()->rank;
  const int size = engine.world()->size;
  set_log_rank(rank, size);
  g_engine = &engine;
  ::on_exit(on_process_exit, nullptr);
  const auto old_terminate = std::set_terminate(on_terminate);

  int64_t code = kExitFailed;
  std::string why;
  int failed = 0;
  try {
    World world;
    world.control = make_world(engine);
    world.mail = make_mailbox(engine);
    world.local_rank = engine.local_rank();
    world.local_size = engine.local_size();
    world.host = host_name();
    world.mpi_version = concat(engine.library_version(), ", thread level ",
                               engine.thread_level());
    try {
      if (add_data) add_data(world);
      world.control = recorded(std::move(world.control), "control");
      if (world.data) world.data = recorded(std::move(world.data), "data");
      code = body(world);
    } catch (const AgreedError& e) {
      code = e.exit_code();
      dump_calls();
      if (rank == 0) log_error(e.what());
    }
    world.data.reset();  // NCCL ends before MPI does
    world.control->all_reduce(&code, 1, DType::i64, ReduceOp::max);
    world.control.reset();
    engine.finish();
  } catch (...) {
    why = text_of(std::current_exception(), &failed);
  }
  // Outside the handler: what the exception held has been let go.
  if (failed) {
    if (Engine* mine = g_engine.exchange(nullptr)) end_job(*mine, why, failed);
    _exit(failed);  // another thread is ending the job
  }
  g_engine = nullptr;
  std::set_terminate(old_terminate);
  set_log_rank(0, 1);
  return static_cast<int>(code);
}

}  // namespace protean::mpi
