// The NCCL backend against a fake that fails in every way we know of.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "protean/comm/rank_gpu.h"

#include "comm/nccl/libraries.h"
#include "comm/nccl/nccl_communicator.h"
#include "support/catch.h"
#include "support/fake_nccl.h"
#include "support/run_world.h"

namespace protean {
namespace {

struct Run {
  WorldResult<bool> out;
  double seconds = 0;
};

// A number in device memory.
class DeviceFloat {
 public:
  explicit DeviceFloat(const nccl::Api& api) : api_(api) {
    api.allocate(&data_, sizeof(float));
  }
  ~DeviceFloat() { api_.release(data_); }
  DeviceFloat(const DeviceFloat&) = delete;
  DeviceFloat& operator=(const DeviceFloat&) = delete;
  void* data() { return data_; }
  void set(float x) { api_.copy(data_, &x, sizeof x); }
  float get() const {
    float x = 0;
    api_.copy(&x, data_, sizeof x);
    return x;
  }

 private:
  const nccl::Api& api_;
  void* data_ = nullptr;
};

// `steps` all-reduces on every rank; each rank checks its sums.
Run run_fake(FakeNccl& fake, int ranks, int steps = 3, double timeout_s = 20,
             double init_timeout_s = 20) {
  Run run;
  CommOptions options;
  options.timeout_s = timeout_s;
  options.init_timeout_s = init_timeout_s;
  const auto start = std::chrono::steady_clock::now();
  run.out = run_ranks(ranks, [&](World& world) {
    const int rank = world.control->rank();
    auto comm = nccl::make(fake.api(rank), world, options);
    bool right = true;
    DeviceFloat x(fake.api(rank));
    for (int k = 0; k < steps; ++k) {
      x.set(static_cast<float>(rank + k));
      comm->all_reduce(x.data(), 1, DType::f32, ReduceOp::sum);
      right &=
          x.get() == static_cast<float>(ranks * (ranks - 1) / 2 + ranks * k);
    }
    return right;
  });
  run.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return run;
}

TEST_CASE("a good run ends in order and gives everything back",
          "[comm][nccl]") {
  for (int in_progress : {0, 3}) {
    FakeNccl fake(3);
    for (int r = 0; r < 3; ++r) fake.faults(r).in_progress = in_progress;
    auto run = run_fake(fake, 3);
    CHECK(run.out.ok());
    for (const auto& right : run.out.value) CHECK(right == true);
    CHECK(fake.destroyed() == 3);
    CHECK(fake.aborted() == 0);
    CHECK(fake.live_objects() == 0);
    CHECK(fake.violations() == std::vector<std::string>{});
  }
}

TEST_CASE(
    "an operation waits for the followed stream, and is followed by its "
    "event",
    "[comm][nccl]") {
  FakeNccl fake(1);
  CHECK(run_fake(fake, 1, 1).out.ok());
  const auto log = fake.log(0);
  const std::vector<std::string> call = {"record followed", "stream_wait",
                                         "all_reduce", "record"};
  auto want = std::vector<std::string>{"unique_id", "init"};
  for (int k = 0; k < 2; ++k)  // the barrier at start, then ours
    want.insert(want.end(), call.begin(), call.end());
  want.push_back("finalize");
  CHECK(log == want);
}

TEST_CASE("a start that fails on one rank fails on all, and all abort",
          "[comm][nccl]") {
  FakeNccl fake(3);
  fake.faults(1).init_fails = true;
  auto run = run_fake(fake, 3);
  CHECK(run.out.exit_code == kExitFailed);
  for (const auto& error : run.out.error)
    CHECK(error == "nccl: rank 1: ncclCommInitRankConfig: nccl result 2");
  CHECK(fake.aborted() == 2);  // rank 1 has nothing to abort
  CHECK(fake.destroyed() == 0);
}

TEST_CASE("a start that hangs on one rank ends at the deadline",
          "[comm][nccl]") {
  FakeNccl fake(2);
  fake.faults(1).init_hangs = true;
  auto run = run_fake(fake, 2, 1, 20, 0.2);
  CHECK(run.seconds < 5);
  for (const auto& error : run.out.error)
    CHECK_THAT(error, contains("rank 1: communicator not ready in 0.2 s"));
  CHECK(fake.aborted() == 2);
}

TEST_CASE("a remote error on one rank ends the calls of all", "[comm][nccl]") {
  FakeNccl fake(3);
  fake.faults(2).remote_error_at = 3;
  for (int r = 0; r < 3; ++r) fake.faults(r).stuck_at = 3;
  auto run = run_fake(fake, 3, 5);
  CHECK(run.seconds < 5);  // not by the deadline
  CHECK_THAT(run.out.error[2],
             contains("rank 2/3, nccl all_reduce(sum, f32[1]), call 3: remote "
                      "process exited"));
  for (size_t r : {0, 1})
    CHECK_THAT(run.out.error[r], contains("rank 2 failed: "));
  CHECK(fake.aborted() == 3);
  CHECK(fake.destroyed() == 0);
}

TEST_CASE("a call that never completes ends at its deadline", "[comm][nccl]") {
  FakeNccl fake(2);
  for (int r : {0, 1}) fake.faults(r).stuck_at = 2;
  auto run = run_fake(fake, 2, 5, 0.3);
  CHECK(run.seconds >= 0.3);
  CHECK(run.seconds < 5);
  for (const auto& error : run.out.error)
    CHECK_THAT(error, contains("call 2: not done in 0.3"));
  CHECK(run.out.exit_code == kExitFailed);
  CHECK(fake.aborted() == 2);
}

TEST_CASE("a rank that never comes ends the call of the others",
          "[comm][nccl]") {
  FakeNccl fake(2);
  CommOptions options;
  options.timeout_s = 0.3;
  auto out = run_ranks(2, [&](World& world) {
    const int rank = world.control->rank();
    auto comm = nccl::make(fake.api(rank), world, options);
    if (rank == 1)
      for (;;) world.control->check();
    comm->barrier();
  });
  CHECK_THAT(out.error[0],
             contains("rank 0/2, nccl barrier, call 2: not done"));
  CHECK_THAT(out.error[0],
             contains("rank 1 has not called it; its last call was barrier"));
  CHECK_THAT(out.error[1], contains("rank 0 failed: "));
  CHECK(fake.aborted() == 2);
}

TEST_CASE("errors of a call or of the device break the job", "[comm][nccl]") {
  {
    FakeNccl fake(2);
    fake.faults(1).call_fails_at = 2;
    auto run = run_fake(fake, 2);
    CHECK_THAT(run.out.error[1], contains("call 2: nccl result 3"));
    CHECK(fake.aborted() == 2);
  }
  {
    FakeNccl fake(2);
    fake.faults(0).cuda_error_at = 3;
    auto run = run_fake(fake, 2);
    CHECK_THAT(run.out.error[0], contains("call 3: cuda error 700"));
  }
}

TEST_CASE("an abort that hangs is left behind", "[comm][nccl]") {
  FakeNccl fake(2);
  fake.faults(0).stuck_at = 2;
  fake.faults(0).abort_hangs = true;
  auto run = run_fake(fake, 2, 3, 0.2, 0.5);
  CHECK(run.seconds < 5);
  CHECK(run.out.exit_code == kExitFailed);
  CHECK(fake.aborted() == 1);
  fake.release();
  CHECK(fake.aborted() == 2);
}

TEST_CASE("a finalize that fails is followed by an abort", "[comm][nccl]") {
  FakeNccl fake(2);
  fake.faults(1).finalize_fails = true;
  auto run = run_fake(fake, 2);
  CHECK(run.out.ok());  // the work is done; a warning is logged
  CHECK(fake.aborted() == 1);
  CHECK(fake.destroyed() == 1);
  CHECK(fake.violations() == std::vector<std::string>{});
}

TEST_CASE("an exception on one rank aborts the communicators of all",
          "[comm][nccl]") {
  FakeNccl fake(2);
  auto out = run_ranks(2, [&](World& world) {
    const int rank = world.control->rank();
    auto comm = nccl::make(fake.api(rank), world, {});
    if (rank == 1) throw DataError("no such file");
    for (;;) comm->barrier();
  });
  CHECK(out.error[0] == "rank 1 failed: no such file");
  CHECK(fake.aborted() == 2);
}

TEST_CASE("a rank's GPU is that of its local rank, or the only one it sees",
          "[comm][nccl]") {
  const auto gpu = [](int visible, int local_rank, int local_size,
                      bool thread) {
    return rank_gpu(visible, {"node7", local_rank, local_size, thread});
  };
  CHECK(gpu(4, 2, 4, false) == 2);
  CHECK(gpu(1, 2, 4, false) == 0);  // srun --gpus-per-task=1
  CHECK(gpu(4, 2, 4, true) == 2);
  CHECK(gpu(2, 2, 3, true) == 0);
  CHECK(gpu(2, 1, 3, true) == 1);
  CHECK(gpus_are_shared(2, {"node7", 1, 3, true}));
  CHECK_FALSE(gpus_are_shared(4, {"node7", 1, 4, true}));
  CHECK_FALSE(gpus_are_shared(1, {"node7", 1, 4, false}));
  CHECK_THROWS_WITH(gpu(2, 2, 3, false),
                    contains("2 GPUs are visible on node7 for local rank 2") &&
                        contains("--ntasks-per-node=2"));
  CHECK_THROWS_WITH(gpu(0, 0, 1, false),
                    contains("no GPU is visible on node7"));
}

TEST_CASE("more ranks than GPUs are refused, all ranks at once",
          "[comm][nccl]") {
  FakeNccl fake(3, 2);
  auto run = run_fake(fake, 3);
  CHECK(run.out.exit_code == kExitUsage);
  for (const auto& error : run.out.error)
    CHECK_THAT(error, contains("ranks 0 and 2 share") && contains("bus:0"));
}

TEST_CASE("a device that fails before NCCL starts ends all ranks at once",
          "[comm][nccl]") {
  {
    FakeNccl fake(3);
    fake.faults(1).set_device_fails = true;
    auto run = run_fake(fake, 3);
    CHECK(run.seconds < 5);  // not by the deadline
    for (const auto& error : run.out.error)
      CHECK(error == "nccl: rank 1: cudaSetDevice: cuda error 101");
    for (int r = 0; r < 3; ++r) {
      const auto log = fake.log(r);
      CHECK(std::find(log.begin(), log.end(), "init") == log.end());
    }
  }
  {
    FakeNccl fake(3);
    fake.faults(2).count_fails = true;
    auto run = run_fake(fake, 3);
    CHECK(run.seconds < 5);
    for (const auto& error : run.out.error)
      CHECK(error ==
            "rank 2: comm.backend = nccl: cudaGetDeviceCount: CUDA driver "
            "version is insufficient for CUDA runtime version");
  }
}

TEST_CASE("a rank without NCCL ends all ranks with its reason",
          "[comm][nccl]") {
  FakeNccl fake(3);
  std::atomic<int> asked{0};
  nccl::replace_loader([&]() -> const nccl::Api& {
    if (++asked == 2)
      throw ConfigError(
          "comm.backend = nccl: libnccl.so.2: cannot open shared object file");
    return fake.api(0);
  });
  CommOptions options;
  options.backend = "nccl";
  options.ranks = 3;
  const auto start = std::chrono::steady_clock::now();
  int ran = 0;
  CHECK(run_world(options, [&](World&) { return ++ran; }) == kExitUsage);
  nccl::replace_loader(nccl::load_libraries);
  CHECK(ran == 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  for (int r = 0; r < 3; ++r) CHECK(fake.log(r).empty());
}

TEST_CASE("the host's memory, and another device's, are not for NCCL",
          "[comm][nccl]") {
  FakeNccl fake(2);
  auto out = run_ranks(2, [&](World& world) {
    const int rank = world.control->rank();
    auto comm = nccl::make(fake.api(rank), world, {});
    float x = 1;
    if (rank == 0) comm->all_reduce(&x, 1, DType::f32, ReduceOp::sum);
    for (;;) world.control->check();
  });
  CHECK_THAT(out.error[0], contains("call 2: nccl result 4"));
  CHECK(
      fake.violations() ==
      std::vector<std::string>{"all_reduce was given host memory on device 0"});
}

TEST_CASE("two ranks on one GPU are told before NCCL is asked",
          "[comm][nccl]") {
  FakeNccl fake(2, 1);
  auto run = run_fake(fake, 2);
  CHECK(run.out.exit_code == kExitUsage);
  CHECK_THAT(run.out.error[0], contains("ranks 0 and 1 share"));
  CHECK_THAT(run.out.error[0], contains("bus:0"));
  const auto log = fake.log(0);
  CHECK(std::find(log.begin(), log.end(), "init") == log.end());
}

TEST_CASE("sums in rank order are refused with what to use instead",
          "[comm][nccl]") {
  FakeNccl fake(1);
  auto out = run_ranks(1, [&](World& world) {
    auto comm = nccl::make(fake.api(0), world, {});
    DeviceFloat x(fake.api(0));
    comm->all_reduce(x.data(), 1, DType::f32, ReduceOp::sum, SumOrder::by_rank);
  });
  CHECK(out.exit_code == kExitUsage);
  CHECK_THAT(out.error[0], contains("comm.reduction = exact or fast"));
}

TEST_CASE("whether NCCL is available is said with a reason", "[comm][nccl]") {
  std::string reason;
  if (nccl_available(&reason)) {
    CHECK(reason.empty());
    return;
  }
  CHECK_THAT(reason, contains("comm.backend = nccl: "));
  CommOptions options;
  options.backend = "nccl";
  CHECK(run_world(options, [](World&) { return 0; }) == kExitUsage);
}

}  // namespace
}  // namespace protean
